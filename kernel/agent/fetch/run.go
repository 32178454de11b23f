package fetch

import (
	"context"

	"github.com/profferhq/proffer/sdk"
)

func fetch(context.Context, Options, Task) error {
	return sdk.Errorf(sdk.CodeInternal, "", "the fetcher is not there")
}
