//go:build !plant_cron_from_now

package book

// plantCronFromNow is a planted bug that the tests must find: a book that is loaded
// begins with the next slot, whatever was missed.
const plantCronFromNow = false
