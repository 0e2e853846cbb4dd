// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that is locked on behalf of users, counted where io_uring counts it, so
 * that both together keep the limit. What was charged to a user is returned to
 * that user, whoever comes to free it.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/sched/user.h>

#include "dmafd.h"

static bool charge_user(struct user_struct *user, unsigned long pages, unsigned long limit)
{
	unsigned long now = atomic_long_read(&user->locked_vm);

	do {
		if (now + pages < now || now + pages > limit)
			return false;
	} while (!atomic_long_try_cmpxchg(&user->locked_vm, (long *)&now, now + pages));
	return true;
}

int dmafd_account_charge(struct dmafd_account *account, unsigned long pages)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;

	if (capable(CAP_IPC_LOCK))
		limit = ULONG_MAX;
	if (!charge_user(current_user(), pages, limit))
		return -ENOMEM;
	/* The credentials keep the user. */
	account->cred = get_current_cred();
	account->mm = current->mm;
	account->pages = pages;
	mmgrab(account->mm);
	atomic64_add(pages, &account->mm->pinned_vm);
	return 0;
}

void dmafd_account_return(struct dmafd_account *account)
{
	atomic64_sub(account->pages, &account->mm->pinned_vm);
	mmdrop(account->mm);
	atomic_long_sub(account->pages, &account->cred->user->locked_vm);
	put_cred(account->cred);
}
