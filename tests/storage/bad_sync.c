/* For LD_PRELOAD: while the file that BAD_SYNC names exists, every fsync fails as a broken disk's.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static int
sync_by(long call, int fd)
{
	const char *name = getenv("BAD_SYNC");

	if (name == NULL || access(name, F_OK) != 0)
		return (int)syscall(call, fd);
	errno = EIO;
	return -1;
}

__attribute__((visibility("default"))) int
fsync(int fd)
{
	return sync_by(SYS_fsync, fd);
}

__attribute__((visibility("default"))) int
fdatasync(int fd)
{
	return sync_by(SYS_fdatasync, fd);
}
