package sdktest

import (
	"net/http"
	"time"

	"github.com/profferhq/proffer/sdk"
)

type reads struct{}

func newReads() *reads { return &reads{} }

func (r *reads) fold(e *sdk.OperatorEvent, now time.Time) {}

func (k *Kernel) serveOperator(w http.ResponseWriter, r *http.Request) {}
