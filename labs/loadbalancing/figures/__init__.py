"""What the lessons on load balancing draw. Data in, a figure out."""
