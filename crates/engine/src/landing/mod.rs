//! Landing: items that a Data Transfer Project host sends us.
