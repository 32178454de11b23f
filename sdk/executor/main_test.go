package executor

import (
	"fmt"
	"os"
	"testing"
)

// Some tests need a process of their own that can be killed: the test binary plays
// it, with the part to play in its environment.
const partEnv = "PROFFER_TEST_PART"

func TestMain(m *testing.M) {
	switch part := os.Getenv(partEnv); part {
	case "":
		os.Exit(m.Run())
	case "launcher-loop":
		playLauncherLoop()
	case "die-before-fork", "die-after-fork":
		playDying(part)
	default:
		fmt.Fprintln(os.Stderr, "unknown part", part)
		os.Exit(2)
	}
}
