//! The generated messages, clients and servers of `suppression.v1`.
#![allow(clippy::pedantic, unused_qualifications, reason = "generated")]

tonic::include_proto!("suppression.v1");

/// All messages and services, as `FileDescriptorSet` in its encoded form.
pub const FILE_DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("suppression.v1");
