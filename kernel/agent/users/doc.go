// Package users decides as which user a task runs, and makes sure that this user
// can work at all: the policy of the agent's --task-user, --allow-user and
// --first-uid to --last-uid, the look-up of names, and the check of the work directory.
//
// It owns the policy, never the change of ids itself: that is the launch
// function's. Concurrency: a Policy is plain data; Names and Pool may be used by
// many goroutines.
package users
