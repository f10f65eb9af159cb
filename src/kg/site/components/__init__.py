"""What pages are made of: values, rows, pictures, lists, and what stands on the page of one kind of thing."""
