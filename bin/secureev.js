#!/usr/bin/env node
// Starts secureev. Written so that Nodes far too old to run it can still read it and say so in one line.
const version = process.versions.node.split('.').map(Number);

if (version[0] < 22 || (version[0] === 22 && version[1] < 12)) {
  process.stderr.write(
    'secureev: error [NODE_TOO_OLD]: needs Node 22.12 or newer, this is Node ' + process.versions.node + '\n',
  );
  process.exitCode = 5;
} else {
  start();
}

function start() {
  silenceExperimentalWarnings();
  const loader = require('./load.js');
  loader.load('main.js').start(process.argv.slice(2), loader.keepFor);
}

// That a primitive of the runtime is new is our concern (every one is checked against another engine), not the user's.
function silenceExperimentalWarnings() {
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name !== 'ExperimentalWarning') process.stderr.write(warning.name + ': ' + warning.message + '\n');
  });
}
