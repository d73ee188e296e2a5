package event

import (
	"slices"
	"strings"
)

const (
	containerID uint16 = firstContainer + iota
	containerFullID
	containerName
	containerImage
	containerRepo
	containerTag
	containerImageID
	containerDigest
	containerType
	containerPrivileged
	containerIP
	containerStart
	containerDuration
	containerLabels
	containerLabel
	containerMounts
	containerMount
	containerMountSource
	containerMountDest
	containerMountMode
	containerMountRDWR
	containerMountPropagation
	podName
	podNS
	podUID
	podID
	podIP
)

const byMount = ", by position or a pattern for the other side."

var containerFields = []Field{
	{num: containerID, Name: "container.id", Kind: String, Type: TypeCharbuf, On: onProcess, Doc: "First 12 characters of the container's id, \"host\" outside containers."},
	{num: containerFullID, Name: "container.full_id", Kind: String, Type: TypeCharbuf, On: onProcess, Doc: "The whole id; empty outside containers."},
	{num: containerName, Name: "container.name", Kind: String, Type: TypeCharbuf, Alias: "container", On: onProcess, Doc: "Name of the container, \"host\" outside containers."},
	{num: containerImage, Name: "container.image", Kind: String, Type: TypeCharbuf, Alias: "image", On: onProcess, Doc: "Image as it was asked for."},
	{num: containerRepo, Name: "container.image.repository", Kind: String, Type: TypeCharbuf, On: onProcess, Doc: "Image without tag and digest. Empty outside containers, missing before the runtime has answered."},
	{num: containerTag, Name: "container.image.tag", Kind: String, Type: TypeCharbuf, On: onProcess, Doc: "Tag of the image."},
	{num: containerImageID, Name: "container.image.id", Kind: String, Type: TypeCharbuf, On: onProcess, Doc: "Id of the image."},
	{num: containerDigest, Name: "container.image.digest", Kind: String, Type: TypeCharbuf, On: onProcess, Doc: "Digest of the image."},
	{num: containerType, Name: "container.type", Kind: String, Type: TypeCharbuf, On: onProcess, Doc: "Container runtime, \"host\" outside containers."},
	{num: containerPrivileged, Name: "container.privileged", Kind: Bool, Type: TypeBool, On: onProcess, Doc: "Whether it runs privileged."},
	{num: containerIP, Name: "container.ip", Kind: String, Type: TypeCharbuf, On: onProcess, Doc: "Address of the container or its pod."},
	{num: containerStart, Name: "container.start_ts", Kind: Abstime, Type: TypeAbstime, On: onProcess, Doc: "When the first process of its pid namespace began, in ns since the epoch."},
	{num: containerDuration, Name: "container.duration", Kind: Reltime, Type: TypeReltime, On: OnEvent | OnActivity, Doc: "Age of the container at the event, in ns."},
	{num: containerLabels, Name: "container.labels", Kind: String, Type: TypeCharbuf, On: onProcess, Doc: "All labels as key:value, sorted."},
	{num: containerLabel, Name: "container.label", Kind: String, Type: TypeCharbuf, Arg: RequiredKey, On: onProcess, Doc: "One label by its key."},
	{num: containerMounts, Name: "container.mounts", Kind: String, Type: TypeCharbuf, On: onProcess, Doc: "All mounts as source:dest:mode:rw:propagation, joined by commas."},
	{num: containerMount, Name: "container.mount", Kind: String, Type: TypeCharbuf, Arg: RequiredKey, On: onProcess, Doc: "One mount in that form, by position or a pattern for its source."},
	{num: containerMountSource, Name: "container.mount.source", Kind: String, Type: TypeCharbuf, Arg: RequiredKey, On: onProcess, Doc: "Source of a mount" + byMount},
	{num: containerMountDest, Name: "container.mount.dest", Kind: String, Type: TypeCharbuf, Arg: RequiredKey, On: onProcess, Doc: "Destination of a mount" + byMount},
	{num: containerMountMode, Name: "container.mount.mode", Kind: String, Type: TypeCharbuf, Arg: RequiredKey, On: onProcess, Doc: "Mode of a mount, by position or a pattern for its source."},
	{num: containerMountRDWR, Name: "container.mount.rdwr", Kind: String, Type: TypeCharbuf, Arg: RequiredKey, On: onProcess, Doc: "\"true\" when a mount may be written, by position or a pattern for its source."},
	{num: containerMountPropagation, Name: "container.mount.propagation", Kind: String, Type: TypeCharbuf, Arg: RequiredKey, On: onProcess, Doc: "Propagation of a mount, by position or a pattern for its source."},
	{num: podName, Name: "k8s.pod.name", Kind: String, Type: TypeCharbuf, Alias: "pod", On: onProcess, Doc: "Name of the pod."},
	{num: podNS, Name: "k8s.ns.name", Kind: String, Type: TypeCharbuf, Alias: "ns", On: onProcess, Doc: "Namespace of the pod."},
	{num: podUID, Name: "k8s.pod.uid", Kind: String, Type: TypeCharbuf, On: onProcess, Doc: "Uid of the pod."},
	{num: podID, Name: "k8s.pod.id", Kind: String, Type: TypeCharbuf, On: onProcess, Doc: "The same as k8s.pod.uid."},
	{num: podIP, Name: "k8s.pod.ip", Kind: String, Type: TypeCharbuf, On: onProcess, Doc: "Address of the pod."},
}

func (p *Process) containerValue(n uint16, arg string, at uint64) (Value, bool) {
	switch n {
	case containerStart:
		return abstime(p.PidnsStart), p.PidnsStart != 0
	case containerDuration:
		return Value{Kind: Reltime, Num: at - p.PidnsStart}, p.PidnsStart != 0 && at >= p.PidnsStart
	}
	c := p.Container
	if c == nil {
		return hostValue(n)
	}
	switch n {
	case containerID:
		return text(c.ID), true
	case containerFullID:
		return text(c.FullID), true
	case containerType:
		return text(c.Runtime.String()), true
	}
	if n >= podName {
		return c.podValue(n)
	}
	if c.Pending {
		return Value{}, false
	}
	return c.value(n, arg)
}

// hostValue is what container fields say of processes outside containers.
func hostValue(n uint16) (Value, bool) {
	switch n {
	case containerID, containerName, containerType:
		return text("host"), true
	case containerPrivileged:
		return boolean(false), true
	case containerFullID, containerImage, containerRepo, containerTag, containerImageID, containerDigest, containerMounts:
		return text(""), true
	}
	return Value{}, false
}

func (c *Container) podValue(n uint16) (Value, bool) {
	s := ""
	switch n {
	case podName:
		s = c.Pod
	case podNS:
		s = c.Namespace
	case podUID, podID:
		s = c.PodUID
	case podIP:
		if c.Pod != "" && c.IP.IsValid() {
			s = c.IP.String()
		}
	}
	return text(s), s != ""
}

func (c *Container) value(n uint16, arg string) (Value, bool) {
	switch n {
	case containerName:
		return text(c.Name), true
	case containerImage:
		return text(c.Image), true
	case containerRepo:
		return text(c.Repo), true
	case containerTag:
		return text(c.Tag), true
	case containerImageID:
		return text(c.ImageID), true
	case containerDigest:
		return text(c.Digest), true
	case containerPrivileged:
		return boolean(c.Privileged), true
	case containerIP:
		if !c.IP.IsValid() {
			return Value{}, false
		}
		return text(c.IP.String()), true
	case containerLabels:
		return text(c.labels()), len(c.Labels) > 0
	case containerLabel:
		l, ok := c.Labels[arg]
		return text(l), ok
	case containerMounts:
		all := make([]string, len(c.Mounts))
		for i := range c.Mounts {
			all[i] = c.Mounts[i].String()
		}
		return text(strings.Join(all, ",")), true
	}
	return c.mountValue(n, arg)
}

func (c *Container) labels() string {
	all := make([]string, 0, len(c.Labels))
	for k, v := range c.Labels {
		all = append(all, k+":"+v)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func (c *Container) mountValue(n uint16, arg string) (Value, bool) {
	at, numbered := index(arg)
	for i := range c.Mounts {
		m := &c.Mounts[i]
		side := m.Source
		if n == containerMountSource {
			side = m.Dest
		}
		if numbered && i != at || !numbered && !Glob(arg, side) {
			continue
		}
		switch n {
		case containerMount:
			return text(m.String()), true
		case containerMountSource:
			return text(m.Source), true
		case containerMountDest:
			return text(m.Dest), true
		case containerMountMode:
			return text(m.Mode), true
		case containerMountRDWR:
			if m.RW {
				return text("true"), true
			}
			return text("false"), true
		case containerMountPropagation:
			return text(m.Propagation), true
		}
	}
	return Value{}, false
}

// String is m as container.mounts lists it.
func (m *Mount) String() string {
	rw := "false"
	if m.RW {
		rw = "true"
	}
	return strings.Join([]string{m.Source, m.Dest, m.Mode, rw, m.Propagation}, ":")
}
