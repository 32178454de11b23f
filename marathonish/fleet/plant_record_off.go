//go:build !plant_launch_before_record

package fleet

// plantLaunchBeforeRecord is a planted bug that the tests must find: an instance is
// launched while its record is on its way to the store.
const plantLaunchBeforeRecord = false
