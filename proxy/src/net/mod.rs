//! Addresses and sockets: TCP or Unix behind one type, and the binding of listeners.
