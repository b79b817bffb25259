"""What proves that jobplan keeps its promises; one folder a layer."""
