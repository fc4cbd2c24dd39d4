//! Which server and which location a request belongs to, and what its variables are worth.
