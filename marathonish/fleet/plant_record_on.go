//go:build plant_launch_before_record

package fleet

const plantLaunchBeforeRecord = true
