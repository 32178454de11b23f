// Command stamp is the job of proffer-bench's cron rows. It appends one line to the file
// that it is given: the job, its nominal time and attempt, as its environment has them,
// and its own clock at its start in nanoseconds since 1970.
package main

import (
	"fmt"
	"os"
	"time"
)

func main() {
	at := time.Now().UnixNano()
	line := fmt.Sprintf("%s %s %s %d\n", os.Getenv("CHRONOS_JOB_NAME"), os.Getenv("CHRONOS_JOB_RUN_TIME"), os.Getenv("CHRONOS_JOB_RUN_ATTEMPT"), at)
	f, err := os.OpenFile(os.Args[1], os.O_WRONLY|os.O_APPEND, 0)
	if err == nil {
		_, err = f.WriteString(line)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "stamp:", err)
		os.Exit(1)
	}
}
