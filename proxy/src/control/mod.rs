//! Above all: signals, reload and shutdown.
