//! Transfers: read, write, reconcile.
