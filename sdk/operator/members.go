package operator

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/profferhq/proffer/sdk"
	"github.com/profferhq/proffer/sdk/masters"
	"github.com/profferhq/proffer/sdk/wire"
)

const (
	mastersPath  = "/api/v1/masters"
	snapshotPath = "/api/v1/snapshot"
)

// Masters are the masters of the cluster as the one that answers knows them. It needs no
// leader: without one it shows why there is none.
func (c *Client) Masters(ctx context.Context) (*sdk.Masters, error) {
	resp, err := c.masters.Do(ctx, masters.Request{
		Op: "get masters", Method: http.MethodGet, Path: mastersPath, Header: http.Header{"Accept": {wire.Msgpack.ContentType()}}})
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, broken("get masters", err)
	}
	answer := &sdk.Masters{}
	return answer, wire.Unmarshal(wire.Msgpack, body, answer)
}

// AddMaster has the master that waits at a raft address ("host:port") asked to join. It
// returns when it was asked; Masters shows when it votes.
func (c *Client) AddMaster(ctx context.Context, address string) error {
	_, err := c.call(ctx, "add master", &sdk.OperatorCall{Type: sdk.OperatorAddMaster, AddMaster: &sdk.AddMaster{Address: address}})
	return err
}

// RemoveMaster takes a master out for good. Without force it is refused (CodeConflict)
// where those that stay are no majority, and for the leader itself always.
func (c *Client) RemoveMaster(ctx context.Context, name string, force bool) error {
	_, err := c.call(ctx, "remove master", &sdk.OperatorCall{Type: sdk.OperatorRemoveMaster, RemoveMaster: &sdk.RemoveMaster{Name: name, Force: force}})
	return err
}

// TransferLeadership hands the leadership to a master by name, or to whoever is
// furthest when the name is empty.
func (c *Client) TransferLeadership(ctx context.Context, name string) error {
	_, err := c.call(ctx, "transfer leadership", &sdk.OperatorCall{Type: sdk.OperatorTransferLeadership, TransferLeadership: &sdk.TransferLeadership{Name: name}})
	return err
}

// SaveSnapshot writes all that is replicated: registry and store.
func (c *Client) SaveSnapshot(ctx context.Context, w io.Writer) error {
	resp, err := c.masters.Do(ctx, masters.Request{Op: "save snapshot", Method: http.MethodGet, Path: snapshotPath})
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if _, err := io.Copy(w, resp.Body); err != nil {
		return broken("save snapshot", err)
	}
	return nil
}

// RestoreSnapshot puts what SaveSnapshot has written in the place of what the cluster
// knows. Without force it is refused (CodeConflict) where the cluster is in use.
func (c *Client) RestoreSnapshot(ctx context.Context, r io.Reader, force bool) error {
	body := &bytes.Buffer{}
	if _, err := io.Copy(body, io.LimitReader(r, maxAnswer+1)); err != nil {
		return err
	}
	if body.Len() > maxAnswer {
		return errors.New("the snapshot is larger than 1 GiB")
	}
	path := snapshotPath + "/restore"
	if force {
		path += "?force=true"
	}
	resp, err := c.masters.Do(ctx, masters.Request{Op: "restore snapshot", Method: http.MethodPut, Path: path, Body: body.Bytes(),
		Header: http.Header{"Content-Type": {"application/octet-stream"}}})
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
