//! The accept loop and the life of one client connection.
