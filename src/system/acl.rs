//! The access control list (ACL) of an open file or directory on Windows: what it grants to whom, and one that grants
//! nothing to other users.
//!
//! The only module with `unsafe`: there is no maintained crate with a safe interface to these functions.
#![expect(unsafe_code, reason = "functions of Windows")]

use std::ffi::{CStr, CString, c_void};
use std::fs::File;
use std::io;
use std::os::windows::io::AsRawHandle;
use std::ptr::null_mut;

use windows_sys::Win32::Foundation::{ERROR_SUCCESS, HANDLE, LocalFree};
use windows_sys::Win32::Security::Authorization::{
    ConvertSidToStringSidA, ConvertStringSecurityDescriptorToSecurityDescriptorA, GetSecurityInfo,
    SDDL_REVISION_1, SE_FILE_OBJECT,
};
use windows_sys::Win32::Security::{
    ACCESS_ALLOWED_ACE, DACL_SECURITY_INFORMATION, GetAce, GetTokenInformation, INHERIT_ONLY_ACE,
    OWNER_SECURITY_INFORMATION, PROTECTED_DACL_SECURITY_INFORMATION, PSID, SetKernelObjectSecurity,
    TOKEN_USER, TokenUser,
};

/// Everyone, guests included.
pub const EVERYONE: &str = "S-1-1-0";

/// The owner of a file, and what its list grants. Users and groups are SIDs: names depend on the language.
pub struct Access {
    /// The owner, where the file system has owners.
    pub owner: Option<String>,
    /// What is granted. What is denied makes it less, never more, and is left out.
    pub granted: Vec<Grant>,
}

/// An entry of the list.
pub struct Grant {
    /// A user or a group.
    pub sid: String,
    /// The access mask.
    pub rights: u32,
    /// Whether it is for what will be created in the directory, and not for the directory.
    pub is_for_children: bool,
}

/// Memory that Windows allocated.
struct Allocated(*mut c_void);

impl Drop for Allocated {
    fn drop(&mut self) {
        // SAFETY: it is null, or was returned by a function whose documentation asks for LocalFree.
        unsafe { LocalFree(self.0) };
    }
}

/// Returns the owner and the list of a file that is open with `READ_CONTROL`.
///
/// # Errors
/// As the system reports.
pub fn read(file: &File) -> io::Result<Access> {
    let (mut owner, mut list, mut descriptor) = (null_mut(), null_mut(), Allocated(null_mut()));
    let parts = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;
    // SAFETY: the handle is open; the owner and the list are null or in the descriptor, which outlives them.
    let error = unsafe {
        let (group, audit) = (null_mut(), null_mut());
        let handle = file.as_raw_handle();
        GetSecurityInfo(handle, SE_FILE_OBJECT, parts, &mut owner, group, &mut list, audit, &mut descriptor.0)
    };
    if error != ERROR_SUCCESS {
        return Err(io::Error::from_raw_os_error(error.cast_signed()));
    }
    // SAFETY: the owner is null or a SID.
    let owner = if owner.is_null() { None } else { Some(unsafe { sid_text(owner) }?) };
    if list.is_null() {
        let everything = Grant { sid: EVERYONE.into(), rights: u32::MAX, is_for_children: false };
        return Ok(Access { owner, granted: vec![everything] });
    }
    let mut granted = Vec::new();
    // SAFETY: the list is valid.
    for index in 0..unsafe { (*list).AceCount } {
        let mut entry = null_mut();
        // SAFETY: the list is valid, and has an entry of this index.
        nonzero(unsafe { GetAce(list, index.into(), &mut entry) })?;
        let entry: *mut ACCESS_ALLOWED_ACE = entry.cast();
        // SAFETY: every entry begins with a header.
        let header = unsafe { (*entry).Header };
        if matches!(header.AceType, ACCESS_ALLOWED_ACE_TYPE | ACCESS_ALLOWED_CALLBACK_ACE_TYPE) {
            // SAFETY: entries of these types have the access mask and the SID in the same place.
            let (sid, rights) = unsafe { (sid_text((&raw mut (*entry).SidStart).cast())?, (*entry).Mask) };
            let is_for_children = u32::from(header.AceFlags) & INHERIT_ONLY_ACE != 0;
            granted.push(Grant { sid, rights, is_for_children });
        }
    }
    Ok(Access { owner, granted })
}

// winnt.h. The second one is a grant under a condition.
const ACCESS_ALLOWED_ACE_TYPE: u8 = 0;
const ACCESS_ALLOWED_CALLBACK_ACE_TYPE: u8 = 9;

/// Replaces the list of a file or directory that is open with `WRITE_DAC`: full access for the user, administrators and the
/// system, and nothing inherited from above. What is created in the directory inherits it; what is there keeps its own.
///
/// Administrators are admitted as in the user's profile, and as OpenSSH does with private keys: they can take what they
/// are denied, and without them backups fail.
///
/// # Errors
/// As the system reports.
pub fn protect(file: &File) -> io::Result<()> {
    let inherited = if file.metadata()?.is_dir() { "OICI" } else { "" };
    let grants = ["SY", "BA", &user()?].map(|sid| format!("(A;{inherited};FA;;;{sid})")).concat();
    let text = CString::new(format!("D:P{grants}"))?;
    let mut descriptor = Allocated(null_mut());
    let parts = DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION;
    // SAFETY: the text ends with a zero byte, the handle is open, and the descriptor is valid where it is used.
    unsafe {
        nonzero(ConvertStringSecurityDescriptorToSecurityDescriptorA(
            text.as_ptr().cast(),
            SDDL_REVISION_1,
            &mut descriptor.0,
            null_mut(),
        ))?;
        // Not SetSecurityInfo, with which Wine adds what is inherited from above.
        nonzero(SetKernelObjectSecurity(file.as_raw_handle(), parts, descriptor.0))
    }
}

/// Returns the SID of the user that this process runs as.
///
/// # Errors
/// As the system reports.
pub fn user() -> io::Result<String> {
    // GetCurrentProcessToken() of processthreadsapi.h, which no library exports.
    let token = -4_isize as HANDLE;
    // A TOKEN_USER and its SID, which has 68 bytes at most.
    let mut buffer = [0_u64; 16];
    let mut length = 0;
    // SAFETY: the buffer has the length that is given, is aligned as its content, and outlives the SID.
    unsafe {
        let size = size_of_val(&buffer) as u32;
        nonzero(GetTokenInformation(token, TokenUser, buffer.as_mut_ptr().cast(), size, &mut length))?;
        sid_text((*buffer.as_ptr().cast::<TOKEN_USER>()).User.Sid)
    }
}

/// # Safety
/// It must be a SID.
unsafe fn sid_text(sid: PSID) -> io::Result<String> {
    let mut text = null_mut();
    // SAFETY: the caller has made sure of the SID.
    nonzero(unsafe { ConvertSidToStringSidA(sid, &mut text) })?;
    let text = Allocated(text.cast());
    // SAFETY: the function succeeded, so that this is a string.
    Ok(unsafe { CStr::from_ptr(text.0.cast()) }.to_string_lossy().into_owned())
}

fn nonzero(result: i32) -> io::Result<()> {
    if result == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
