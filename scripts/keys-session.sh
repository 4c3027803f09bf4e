export LOST=$(sed -n 's/^key id: //p' keys/timestamp.pub | head -n 1 | cut -c 1-8)
secureev key revoke $LOST --reason 'laptop stolen' || echo "exit status $?"
secureev keygen timestamp-2 --out keys
secureev role change timestamp --replace $LOST=keys/timestamp-2.pub
secureev sign root timestamp --key keys/root-a.key --key keys/root-c.key --key keys/timestamp-2.key
secureev publish image public
export OLD=$(sed -n 's/^key id: //p' keys/root-b.pub | head -n 1 | cut -c 1-8)
secureev keygen root-d --out keys
secureev role change root --replace $OLD=keys/root-d.pub
secureev request create root -o root-3.sigreq
secureev request sign root-3.sigreq --root trust/root.json --key keys/root-a.key --key keys/root-d.key --key keys/root-b.key --journal journal -o root-3.sig --yes
secureev request import root-3.sig
secureev publish image public
secureev verify bundle received.otap --root trust/root.json --metadata public/metadata
