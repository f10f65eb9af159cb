"""The pages, a module each: its routes stand at the top of it."""
