"""Where the mobile ions are, and the ways between."""
