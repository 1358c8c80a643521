//! On which file system a path is, so that the store refuses those whose locks and shared memory cannot be relied on.

use std::{fs, path::Path};

/// File systems of other machines. SQLite's write-ahead log needs memory shared between the processes that use it.
const NETWORK: [&str; 12] =
    ["nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "lustre", "glusterfs", "fuse.glusterfs", "fuse.sshfs", "fuse.s3fs"];

/// The type of the path's file system if it is one of another machine. Where the system does not tell, it is taken to be local.
pub(crate) fn network_file_system(path: &Path) -> Option<String> {
    let parent = fs::canonicalize(path.parent()?).ok()?;
    let mounts = fs::read_to_string("/proc/self/mountinfo").ok()?;
    file_system(&mounts, &parent).filter(|kind| NETWORK.contains(kind)).map(str::to_owned)
}

/// The type of the file system that is mounted nearest above a path, from the text of proc(5) `mountinfo`. Of several at one
/// place the last one counts: it hides the others.
fn file_system<'a>(mounts: &'a str, path: &Path) -> Option<&'a str> {
    let mounts = mounts.lines().filter_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let point = before.split(' ').nth(4)?.replace("\\040", " ");
        path.starts_with(&point).then_some((point.len(), after.split(' ').next()?))
    });
    mounts.max_by_key(|(length, _)| *length).map(|(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_mount_above_a_path_decides() {
        let mounts = "22 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n\
                      30 22 0:40 / /srv rw shared:1 - nfs4 filer:/srv rw\n\
                      31 30 254:1 / /srv/local\\040disk rw - xfs /dev/vdb rw\n\
                      32 22 0:41 / /over rw - nfs filer:/a rw\n\
                      33 22 254:2 / /over rw - ext4 /dev/vdc rw\n";
        for (path, kind) in
            [("/var/lib", "ext4"), ("/srv", "nfs4"), ("/srv/a/b", "nfs4"), ("/srv/local disk/a", "xfs"), ("/srvx", "ext4"), ("/over/a", "ext4")]
        {
            assert_eq!(file_system(mounts, Path::new(path)), Some(kind), "{path}");
        }
        assert_eq!(file_system("", Path::new("/")), None);
    }
}
