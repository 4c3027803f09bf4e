import { expect, test } from 'vitest';
import { nodeEnvironment } from './environment.ts';

test('the actor and the job are those of GitLab or GitHub where they run us', () => {
  const gitlab = nodeEnvironment({ GITLAB_CI: 'true', GITLAB_USER_LOGIN: 'ada', CI_JOB_URL: 'https://git/-/jobs/7' });
  expect([gitlab.actor, gitlab.job]).toEqual(['ada', 'https://git/-/jobs/7']);
  const github = nodeEnvironment({
    GITHUB_ACTIONS: 'true',
    GITHUB_ACTOR: 'grace',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_REPOSITORY: 'o/r',
    GITHUB_RUN_ID: '9',
  });
  expect([github.actor, github.job]).toEqual(['grace', 'https://github.com/o/r/actions/runs/9']);
});

test('elsewhere the actor is the user, and there is no job; leftovers of a CI do not count', () => {
  const { actor, job } = nodeEnvironment({ GITHUB_ACTOR: 'mallory', CI_JOB_URL: 'x', LOGNAME: 'mallory' });
  expect(actor).not.toBe('mallory');
  expect(actor.length).toBeGreaterThan(0);
  expect(job).toBe('');
});

test('neither can carry control characters or much text into the log', () => {
  const { actor } = nodeEnvironment({ GITLAB_CI: 'true', GITLAB_USER_LOGIN: `a\u001b\n${'x'.repeat(999)}` });
  expect(actor).toMatch(/^a\?\?x+$/);
  expect(actor).toHaveLength(256);
});
