//go:build plant_cron_from_now

package book

const plantCronFromNow = true
