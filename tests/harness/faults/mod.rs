//! What goes wrong on purpose: networks that delay and cut, disks that hang, rights that are withdrawn.

pub(crate) mod acl;
pub(crate) mod proxy;
pub(crate) mod slow_disk;
