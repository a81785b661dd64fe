# `dispatch` sources this where python3 is not a link to a Python that the charm has packages for. It returns if python3
# itself says that it is one of them. Else it ends the hook, with the remedy in the unit's status, or fails the action.
# A unit's last two hooks fail: Juju would count them as done, and nothing would remove what the charm has in the cluster.

version=$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
for known in $pythons; do
    if [ "$version" = "$known" ]; then return; fi
done

newest=${pythons##* }
principal=${JUJU_PRINCIPAL_UNIT:-kubernetes-control-plane}
if [ -z "$version" ]; then
    problem="no python3; run: juju exec --unit $JUJU_UNIT_NAME -- apt-get install -y python3"
elif [ "${version#3.}" -gt "${newest#3.}" ]; then
    problem="no packages for Python $version; run: juju refresh ${JUJU_UNIT_NAME%/*}"
else
    problem="no packages for Python $version; replace $principal with a unit on Ubuntu 22.04 or newer"
fi

if [ "${JUJU_ACTION_NAME-}" ]; then
    action-fail "$problem"
else
    status-set blocked "$problem"
fi
case $JUJU_DISPATCH_PATH in
hooks/stop | hooks/remove)
    echo "$problem; then run: juju resolved $JUJU_UNIT_NAME" >&2
    exit 1
    ;;
esac
exit 0
