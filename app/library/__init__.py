"""What the person keeps: pictures with their recipes."""
