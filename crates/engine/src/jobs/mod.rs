//! Durable work: workers claim jobs under a lease and carry them out.
