"""What earlier versions had: names that are not here, and the paths of modules."""
