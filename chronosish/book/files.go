package book

import (
	"fmt"
	"slices"
	"strings"

	"github.com/profferhq/proffer/chronosish/job"
	"github.com/profferhq/proffer/sdk"
)

// keyFiles has, below a job's name, the files that travel inside its tasks, by their places
// in its list of what is fetched. They are values of their own, without base64: so one may
// be as large as a value, and a change of the definition does not write them again.
const keyFiles = "files/"

// smallFile is how large a file may be that stays within the definition, in bytes.
const smallFile = 4 << 10

func filesKey(name string) string        { return keyFiles + name + "/" }
func fileKey(name string, at int) string { return fmt.Sprintf("%s%d", filesKey(name), at) }

// file takes the files out of the definition that is to be stored, and gives what has to be
// written for it where was is stored already, with the files at those places, and how much
// of the store all files take.
func (rec *jobRecord) file(was *job.Job, stored []int) (writes []sdk.StoreOp, room int) {
	name, fetch := rec.Job.Name, slices.Clone(rec.Job.Fetch)
	for i, x := range fetch {
		prefix, data, ok := x.Data()
		if !ok || len(data) <= smallFile {
			continue
		}
		fetch[i].URI = prefix
		rec.Files = append(rec.Files, i)
		room += len(fileKey(name, i)) + len(data) + lineOverhead
		if !slices.Contains(stored, i) || was.Fetch[i].URI != x.URI {
			writes = append(writes, sdk.StoreOp{Type: sdk.StorePut, Key: fileKey(name, i), Value: data})
		}
	}
	rec.Job.Fetch = fetch
	for _, i := range stored {
		if !slices.Contains(rec.Files, i) {
			writes = append(writes, remove(fileKey(name, i)))
		}
	}
	return writes, room
}

// unfile puts the files back into a definition that was read from the store, and tells how
// much of it they take.
func (rec *jobRecord) unfile(files map[string][]byte) (room int, err error) {
	for _, i := range rec.Files {
		data, there := files[fileKey(rec.Job.Name, i)]
		if !there || i < 0 || i >= len(rec.Job.Fetch) {
			return 0, fmt.Errorf("its file %d is not in the store", i)
		}
		room += len(fileKey(rec.Job.Name, i)) + len(data) + lineOverhead
		rec.Job.Fetch[i] = rec.Job.Fetch[i].WithData(rec.Job.Fetch[i].URI, data)
	}
	return room, nil
}

// filesOf are the values of the files among those of the store.
func filesOf(kvs []sdk.StoreKV) map[string][]byte {
	files := map[string][]byte{}
	for _, kv := range kvs {
		if strings.HasPrefix(kv.Key, keyFiles) {
			files[kv.Key] = kv.Value
		}
	}
	return files
}
