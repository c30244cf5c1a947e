"""What programs carry: regions, decorators, tracing of calls and lines."""
