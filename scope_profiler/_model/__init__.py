"""A run as plain data, without numpy: what reports, results and files are made of."""
