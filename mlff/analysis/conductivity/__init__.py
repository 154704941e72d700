"""From displacements to conductivity: at one temperature, over temperatures, runs and configurations."""
