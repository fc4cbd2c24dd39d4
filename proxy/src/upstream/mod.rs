//! Connections to the servers: connecting, keeping, asking, and when another one is tried.
