//! The tests of the whole: real servers, real clients.
