package framework_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/framework"
	"github.com/profferhq/proffer/sdk/sdktest"
)

func TestOutputIsAskedOfTheMaster(t *testing.T) {
	var net sdktest.Memory
	asked := ""
	net.Serve("m1:5050", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.RequestURI() + " " + r.Header.Get("Authorization")
		switch r.URL.Query().Get("task_id") {
		case "old":
			http.Error(w, "it is gone", http.StatusNotFound)
		case "nowhere":
			_, _ = io.WriteString(w, "text")
		default:
			w.Header().Set("Proffer-Offset", "12")
			_, _ = io.WriteString(w, "text")
		}
	}))
	o := options(&net, "m1:5050")
	o.Info.ID = "f1"
	f, err := framework.New(o)
	if err != nil {
		t.Fatal(err)
	}
	text, from, err := f.Output(t.Context(), framework.OutputRequest{AgentID: "a1", TaskID: "t1", Stream: "stderr", Offset: -4})
	if err != nil || string(text) != "text" || from != 12 {
		t.Errorf("%q from %d, %v", text, from, err)
	}
	if want := "/api/v1/logs?agent_id=a1&framework_id=f1&offset=-4&stream=stderr&task_id=t1 Bearer secret"; asked != want {
		t.Errorf("asked %s", asked)
	}
	if _, _, err := f.Output(t.Context(), framework.OutputRequest{TaskID: "old"}); sdk.CodeOf(err) != sdk.CodeNotFound || err.Error() != "read output: it is gone" {
		t.Errorf("what is gone: %v", err)
	}
	if _, _, err := f.Output(t.Context(), framework.OutputRequest{TaskID: "nowhere"}); sdk.CodeOf(err) != sdk.CodeInternal {
		t.Errorf("an answer without its offset: %v", err)
	}
}
