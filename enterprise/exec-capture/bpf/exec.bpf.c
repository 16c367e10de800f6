// SPDX-License-Identifier: GPL-2.0-only OR MIT
//
// Sees every program that starts on the machine and writes one record of it into a ring buffer.
//
// Compiled once, runs on any kernel with BTF (CO-RE): the structures below name only the fields that
// are read, and the loader finds their places in the running kernel. No header of a kernel or a
// library is needed: `cargo xtask bpf` calls clang with this file alone.
//
// The record's layout is read by src/record.rs; both change together, and VERSION with them.

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed int s32;
typedef signed long long s64;
typedef _Bool bool;

#define SEC(name) __attribute__((section(name), used))
#define INLINE static inline __attribute__((always_inline))
#define RELOCATED __attribute__((preserve_access_index))

// Helpers of the kernel, by number (include/uapi/linux/bpf.h).
static void *(*const bpf_map_lookup_elem)(void *map, const void *key) = (void *)1;
static u64 (*const bpf_ktime_get_boot_ns)(void) = (void *)125;
static u64 (*const bpf_get_current_cgroup_id)(void) = (void *)80;
static long (*const bpf_probe_read_user)(void *to, u32 size, const void *from) = (void *)112;
static long (*const bpf_probe_read_kernel)(void *to, u32 size, const void *from) = (void *)113;
static long (*const bpf_probe_read_kernel_str)(void *to, u32 size, const void *from) = (void *)115;
static long (*const bpf_ringbuf_output)(void *map, void *data, u64 size, u64 flags) = (void *)130;
static u64 (*const bpf_ringbuf_query)(void *map, u64 flags) = (void *)134;

#define NO_WAKEUP 1ULL
#define FORCE_WAKEUP 2ULL
#define AVAIL_DATA 0ULL

// --- what is read of the kernel ---------------------------------------------------------------

struct ns_common {
	u32 inum;
} RELOCATED;
struct pid_namespace {
	u32 level;
	struct ns_common ns;
} RELOCATED;
struct upid {
	s32 nr;
	struct pid_namespace *ns;
} RELOCATED;
struct pid {
	u32 level;
	struct upid numbers[1];
} RELOCATED;
struct mnt_namespace {
	struct ns_common ns;
} RELOCATED;
struct nsproxy {
	struct mnt_namespace *mnt_ns;
} RELOCATED;
struct super_block {
	u32 s_dev;
} RELOCATED;
struct inode {
	u64 i_ino;
	u32 i_rdev;
	struct super_block *i_sb;
} RELOCATED;
struct file {
	struct inode *f_inode;
} RELOCATED;
struct qstr {
	const u8 *name;
} RELOCATED;
struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
} RELOCATED;
struct vfsmount {
	struct dentry *mnt_root;
} RELOCATED;
struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
} RELOCATED;
struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
} RELOCATED;
struct fs_struct {
	struct path pwd;
} RELOCATED;
struct fdtable {
	struct file **fd;
} RELOCATED;
struct files_struct {
	struct fdtable *fdt;
} RELOCATED;
struct tty_driver {
	s32 major;
	s32 minor_start;
} RELOCATED;
struct tty_struct {
	struct tty_driver *driver;
	s32 index;
} RELOCATED;
struct signal_struct {
	struct tty_struct *tty;
	struct pid *pids[4];
} RELOCATED;
typedef struct {
	u32 val;
} kuid_t;
struct cred {
	kuid_t uid;
	kuid_t euid;
} RELOCATED;
struct mm_struct {
	unsigned long arg_start;
	unsigned long arg_end;
} RELOCATED;
struct task_struct {
	s32 pid;
	s32 tgid;
	u64 start_boottime;
	u32 sessionid;
	kuid_t loginuid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct mm_struct *mm;
	const struct cred *cred;
	struct nsproxy *nsproxy;
	struct fs_struct *fs;
	struct files_struct *files;
	struct signal_struct *signal;
} RELOCATED;
struct linux_binprm {
	struct file *file;
	const char *filename;
	const char *interp;
	s32 argc;
} RELOCATED;

// --- the record -------------------------------------------------------------------------------

#define VERSION 1
#define ANCESTORS 16
#define MAX_PATH 512
#define MAX_ARGV 4096
#define MAX_DEPTH 24
#define MAX_NAME 64
#define CWD_ROOM 2048

#define ARGV_CUT 1
#define ARGV_UNREADABLE 2
#define CWD_CUT 4
#define SCRIPT 8

struct ancestor {
	u64 start;
	u32 pid;
	u32 uid;
};

struct head {
	u32 version;
	u32 flags;
	u64 time;          // nanoseconds since the machine started, sleep included
	u64 start;         // the process's own start on the same clock
	u64 cgroup;
	u64 inode;         // of the file that runs: the interpreter where a script was called
	u32 device;        // major << 20 | minor
	u32 pid;
	u32 inner_pid;     // as the process itself sees it
	u32 pid_ns;
	u32 mnt_ns;
	u32 uid;
	u32 euid;
	u32 loginuid;
	u32 audit_session;
	u32 session;       // process id of the session's leader
	u32 tty;           // major << 20 | minor of the controlling terminal, 0 where there is none
	u32 input;         // the same of standard input where it is a device
	u32 argc;
	u32 ancestors;
	u16 filename;      // bytes of each part that follows
	u16 interp;
	u16 cwd;
	u16 argv;
	struct ancestor line[ANCESTORS];
};

// Filename, interpreter, working directory (its parts from the innermost, each ended by a zero
// byte) and arguments follow, one behind the other.
#define ROOM (2 * MAX_PATH + 2 * MAX_PATH + CWD_ROOM + MAX_NAME + MAX_ARGV)
struct record {
	struct head head;
	u8 parts[ROOM];
};

// --- maps -------------------------------------------------------------------------------------

#define FIELD(name, value) int(*name)[value]
#define TYPE_ARRAY 2
#define TYPE_PERCPU_ARRAY 6
#define TYPE_RINGBUF 27

struct {
	FIELD(type, TYPE_RINGBUF);
	FIELD(max_entries, 4 * 1024 * 1024);
} EXECS SEC(".maps");

// One record for each processor to be made in: too large for the stack.
struct {
	FIELD(type, TYPE_PERCPU_ARRAY);
	FIELD(max_entries, 1);
	u32 *key;
	struct record *value;
} SCRATCH SEC(".maps");

// Seen and lost, by processor.
struct counters {
	u64 seen;
	u64 lost;
};
struct {
	FIELD(type, TYPE_PERCPU_ARRAY);
	FIELD(max_entries, 1);
	u32 *key;
	struct counters *value;
} COUNTERS SEC(".maps");

// Whether each record wakes the reader; else it comes by itself.
struct {
	FIELD(type, TYPE_ARRAY);
	FIELD(max_entries, 1);
	u32 *key;
	u32 *value;
} PROMPT SEC(".maps");

// --- the work ---------------------------------------------------------------------------------

INLINE u32 number_of(struct pid *pid)
{
	return pid ? (u32)pid->numbers[0].nr : 0;
}

// Who the parents are is known here for certain: a moment later they may be gone.
INLINE void line_of(struct head *head, struct task_struct *task)
{
	u32 count = 0;
	struct task_struct *at = task->group_leader;
#pragma unroll
	for (int i = 0; i < ANCESTORS; i++) {
		struct task_struct *parent = at->real_parent;
		if (!parent)
			break;
		parent = parent->group_leader;
		if (!parent || parent->pid == 0)
			break;
		head->line[i].pid = parent->tgid;
		head->line[i].start = parent->start_boottime;
		head->line[i].uid = parent->cred->uid.val;
		count = i + 1;
		at = parent;
	}
	head->ancestors = count;
}

INLINE u32 terminal_of(struct task_struct *task)
{
	struct tty_struct *tty = task->signal->tty;
	if (!tty)
		return 0;
	struct tty_driver *driver = tty->driver;
	if (!driver)
		return 0;
	return ((u32)driver->major << 20) | ((u32)(driver->minor_start + tty->index) & 0xfffff);
}

INLINE u32 input_of(struct task_struct *task)
{
	struct files_struct *files = task->files;
	if (!files)
		return 0;
	struct fdtable *table = files->fdt;
	if (!table)
		return 0;
	struct file **list = table->fd;
	struct file *first = 0;
	struct inode *inode = 0;
	u32 device = 0;
	if (bpf_probe_read_kernel(&first, sizeof(first), list) || !first)
		return 0;
	if (bpf_probe_read_kernel(&inode, sizeof(inode), __builtin_preserve_access_index(&first->f_inode)) || !inode)
		return 0;
	bpf_probe_read_kernel(&device, sizeof(device), __builtin_preserve_access_index(&inode->i_rdev));
	return device;
}

#define READ(to, from) bpf_probe_read_kernel(&(to), sizeof(to), __builtin_preserve_access_index(&(from)))

// A length that a helper gave, 0 where it failed. Without a branch: the verifier follows each one.
INLINE u32 length_of(long given, u32 mask)
{
	return (u32)given & mask & ~(u32)(given >> 63);
}

// The names on the way from the working directory to the root, across mounts. First the pointers,
// then the texts: a branch while the offset grows would have the verifier try every combination.
INLINE u32 cwd_of(struct task_struct *task, u8 *to, u32 *flags)
{
	const u8 *names[MAX_DEPTH] = {};
	struct fs_struct *fs = task->fs;
	if (!fs)
		return 0;
	struct dentry *dentry = fs->pwd.dentry, *root = 0, *parent = 0;
	struct vfsmount *vfs = fs->pwd.mnt;
	if (!dentry || !vfs)
		return 0;
	struct mount *above = 0;
	struct mount *mount = (void *)vfs - __builtin_preserve_field_info(((struct mount *)0)->mnt, 0);
	READ(root, mount->mnt.mnt_root);
	u32 whole = 0;
#pragma unroll
	for (int i = 0; i < MAX_DEPTH; i++) {
		READ(parent, dentry->d_parent);
		if (dentry == root || dentry == parent) {
			READ(above, mount->mnt_parent);
			if (!above || above == mount) {
				whole = 1;
				break;
			}
			READ(dentry, mount->mnt_mountpoint);
			mount = above;
			READ(root, mount->mnt.mnt_root);
		} else {
			READ(names[i], dentry->d_name.name);
			dentry = parent;
		}
	}
	u32 at = 0, longest = 0;
#pragma unroll
	for (int i = 0; i < MAX_DEPTH; i++) {
		u32 length = length_of(bpf_probe_read_kernel_str(to + at, MAX_NAME, names[i]), 2 * MAX_NAME - 1);
		// A name as long as its room was cut.
		longest |= length & MAX_NAME;
		at = (at + length) & (CWD_ROOM - 1);
	}
	if (!whole || longest)
		*flags |= CWD_CUT;
	return at;
}

SEC("tp_btf/sched_process_exec")
int seen(u64 *context)
{
	struct task_struct *task = (void *)context[0];
	struct linux_binprm *program = (void *)context[2];
	u32 zero = 0;
	struct counters *counters = bpf_map_lookup_elem(&COUNTERS, &zero);
	struct record *record = bpf_map_lookup_elem(&SCRATCH, &zero);
	u32 *prompt = bpf_map_lookup_elem(&PROMPT, &zero);
	if (!counters || !record || !prompt)
		return 0;
	counters->seen += 1;

	struct head *head = &record->head;
	u32 flags = 0;
	head->version = VERSION;
	head->time = bpf_ktime_get_boot_ns();
	head->start = task->group_leader->start_boottime;
	head->cgroup = bpf_get_current_cgroup_id();
	head->pid = task->tgid;
	struct pid *pid = task->thread_pid;
	u32 level = pid->level;
	struct upid inner = {};
	bpf_probe_read_kernel(&inner, sizeof(inner),
			      (void *)__builtin_preserve_access_index(&pid->numbers[0]) +
				      (level & 31) * __builtin_preserve_type_info(*(struct upid *)0, 1));
	head->inner_pid = inner.nr;
	head->pid_ns = 0;
	if (inner.ns)
		READ(head->pid_ns, inner.ns->ns.inum);
	head->mnt_ns = task->nsproxy->mnt_ns->ns.inum;
	head->uid = task->cred->uid.val;
	head->euid = task->cred->euid.val;
	head->loginuid = task->loginuid.val;
	head->audit_session = task->sessionid;
	head->session = number_of(task->signal->pids[3]);
	head->tty = terminal_of(task);
	head->input = input_of(task);
	head->argc = program->argc;
	struct inode *inode = program->file->f_inode;
	head->inode = inode->i_ino;
	head->device = inode->i_sb->s_dev;
	line_of(head, task);

	// The rooms are so large that no part reaches past them wherever the ones before it end.
	u8 *parts = record->parts;
	u32 at, length;
	const char *filename = program->filename;
	const char *interp = program->interp;
	if (interp != filename)
		flags |= SCRIPT;
	else
		interp = 0;
	at = length_of(bpf_probe_read_kernel_str(parts, MAX_PATH, filename), 2 * MAX_PATH - 1);
	head->filename = at;
	length = length_of(bpf_probe_read_kernel_str(parts + at, MAX_PATH, interp), 2 * MAX_PATH - 1);
	head->interp = length;
	at += length;
	length = cwd_of(task, parts + at, &flags);
	head->cwd = length;
	at += length;
	head->argv = 0;
	struct mm_struct *mm = task->mm;
	if (mm) {
		u64 from = mm->arg_start;
		u64 size = mm->arg_end - from;
		if (size > MAX_ARGV) {
			size = MAX_ARGV;
			flags |= ARGV_CUT;
		}
		u32 bytes = (u32)size;
		if (bytes > 0 && bytes <= MAX_ARGV) {
			if (bpf_probe_read_user(parts + at, bytes, (void *)from)) {
				flags |= ARGV_UNREADABLE;
			} else {
				head->argv = bytes;
				at += bytes;
			}
		}
	}
	head->flags = flags;

	u64 wake = NO_WAKEUP;
	if (*prompt || bpf_ringbuf_query(&EXECS, AVAIL_DATA) > 1024 * 1024)
		wake = FORCE_WAKEUP;
	u64 size = sizeof(struct head) + at;
	if (size > sizeof(struct record))
		size = sizeof(struct record);
	if (bpf_ringbuf_output(&EXECS, record, size, wake))
		counters->lost += 1;
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
