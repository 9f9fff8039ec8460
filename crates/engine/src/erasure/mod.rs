//! Erasure: resolve identities, check holds, erase, read again, prove.
