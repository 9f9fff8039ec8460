//! What an operator declared: apps, systems, clients.
