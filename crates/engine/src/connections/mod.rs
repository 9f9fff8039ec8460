//! What people granted to clients, and the tokens that prove it.
