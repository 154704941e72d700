"""Active learning as a command: what a configuration asks for, and what people see of it."""
