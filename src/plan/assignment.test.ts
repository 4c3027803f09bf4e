/** Which vehicles may get what (U24, U33, R3, R4). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTargetName } from '../core/brands.ts';
import { planTakingBack, planVehicle } from './assignment.ts';
import type {
  LastKnown,
  Offer,
  Offers,
  PlanRules,
  TargetFacts,
  VehicleEcuState,
  VehicleSituation,
} from './assignment.ts';
import type { Demand } from './requirements.ts';

function facts(ecu: string, version: number, more: Partial<TargetFacts> = {}): TargetFacts {
  return {
    target: parseTargetName(`EV-1/${ecu}/${version}/f`),
    sha256: `${ecu}${version}`,
    hardwareIds: [`${ecu}-h`],
    version: String(version),
    releaseCounter: version,
    requires: [],
    conflicts: [],
    ...more,
  };
}

function offer(ecu: string, version: number, more: Partial<TargetFacts> = {}): Offer {
  return { ecu, ...facts(ecu, version, more) };
}

function offers(...list: readonly Offer[]): Offers {
  return { model: 'EV-1', confidential: false, offers: list };
}

function ecuState(id: string, more: Partial<VehicleEcuState> = {}): VehicleEcuState {
  const base = { id, type: id, hardware: `${id}-h`, serial: null, factoryVersion: '1' };
  return { ...base, installed: undefined, assigned: undefined, ...more };
}

function reported(ecu: string, version: number): LastKnown {
  const { target, sha256 } = facts(ecu, version);
  return { target, sha256, version: String(version), releaseCounter: version, reportedAt: 1000 };
}

function vehicle(...ecus: readonly VehicleEcuState[]): VehicleSituation {
  return { id: '0'.repeat(32), vin: '5YJ3E1EA0KF000316', model: 'EV-1', hasEncryptionKey: true, ecus };
}

function knowing(...known: readonly TargetFacts[]): PlanRules {
  return { allowDowngrade: false, factsOf: (target) => known.find((one) => one.target === target) };
}

function demand(ecu: string, version: number): Demand {
  return { kind: 'ecu', name: ecu, version: String(version) };
}

const RULES = knowing();

describe('planVehicle', () => {
  it('gives each ECU of the vehicle what is offered for it, and leaves out ECUs it has not (U24)', () => {
    const decision = planVehicle(offers(offer('A', 2), offer('B', 2)), vehicle(ecuState('A')), RULES);
    expect(decision).toEqual({
      state: 'eligible',
      assign: [{ ecu: 'A', target: 'EV-1/A/2/f' }],
      downgrades: [],
    });
  });

  it.each([
    ['assigned already', { assigned: 'EV-1/A/2/f' }],
    ['reported as installed', { installed: reported('A', 2) }],
  ])('has nothing to do where all of it is %s', (_how, state) => {
    expect(planVehicle(offers(offer('A', 2)), vehicle(ecuState('A', state)), RULES).state).toBe('nothing-to-do');
  });

  it('changes what is assigned although what is offered was installed before', () => {
    const car = vehicle(ecuState('A', { installed: reported('A', 2), assigned: 'EV-1/A/1/f' }));
    expect(planVehicle(offers(offer('A', 2)), car, RULES).state).toBe('eligible');
  });

  it('blocks another model, ECUs that are not there, and other hardware (R4, U9)', () => {
    const car = vehicle(ecuState('A', { hardware: 'A-old' }));
    expect(planVehicle({ ...offers(offer('A', 2)), model: 'EV-2' }, car, RULES)).toMatchObject({
      reason: 'other-model',
    });
    expect(planVehicle(offers(offer('B', 2)), car, RULES)).toMatchObject({ reason: 'no-ecu' });
    expect(planVehicle(offers(offer('A', 2)), car, RULES)).toMatchObject({
      state: 'blocked',
      reason: 'hardware',
      ecu: 'A',
      detail: 'ECU A is hardware A-old, EV-1/A/2/f is for A-h',
    });
  });

  it('finds a vehicle without a key keyless only where that matters', () => {
    const car = { ...vehicle(ecuState('A')), hasEncryptionKey: false };
    expect(planVehicle(offers(offer('A', 2)), car, RULES).state).toBe('eligible');
    expect(planVehicle({ ...offers(offer('A', 2)), confidential: true }, car, RULES).state).toBe('keyless');
  });

  it('blocks a release counter below the one reported or assigned, unless downgrades are allowed (U33)', () => {
    const known = knowing(facts('A', 3));
    const had = vehicle(ecuState('A', { installed: reported('A', 3) }));
    const told = vehicle(ecuState('A', { assigned: 'EV-1/A/3/f' }));
    for (const car of [had, told]) {
      expect(planVehicle(offers(offer('A', 2)), car, known)).toMatchObject({ reason: 'downgrade', ecu: 'A' });
      expect(planVehicle(offers(offer('A', 2)), car, { ...known, allowDowngrade: true })).toMatchObject({
        state: 'eligible',
        downgrades: ['A'],
      });
    }
  });

  it('resolves requirements against what comes with it, what is assigned, reported, or there from the factory (R3)', () => {
    const wants = offers(offer('A', 2, { requires: [demand('B', 2)] }));
    const withB = (state: Partial<VehicleEcuState>): VehicleSituation => vehicle(ecuState('A'), ecuState('B', state));
    const blockedDetail = 'EV-1/A/2/f requires 2 or later on ECU B, B has 1';
    expect(planVehicle(wants, withB({}), RULES)).toMatchObject({ reason: 'requirement', detail: blockedDetail });
    expect(planVehicle(wants, withB({ factoryVersion: '2' }), RULES).state).toBe('eligible');
    expect(planVehicle(wants, withB({ installed: reported('B', 3) }), RULES).state).toBe('eligible');
    expect(planVehicle(wants, withB({ assigned: 'EV-1/B/2/f' }), knowing(facts('B', 2))).state).toBe('eligible');
    expect(planVehicle(offers(...wants.offers, offer('B', 2)), withB({}), RULES).state).toBe('eligible');
    expect(planVehicle(wants, vehicle(ecuState('A')), RULES)).toMatchObject({ reason: 'requirement' });
  });

  it('protects what stays from what comes: requirements and conflicts hold in both directions (R3)', () => {
    const conflicting = facts('B', 5, { conflicts: [demand('A', 2)], requires: [demand('A', 1)] });
    const car = vehicle(ecuState('A'), ecuState('B', { assigned: conflicting.target }));
    expect(planVehicle(offers(offer('A', 2)), car, knowing(conflicting))).toMatchObject({
      reason: 'conflict',
      detail: 'EV-1/B/5/f conflicts with 2 on ECU A',
    });
    expect(planVehicle(offers(offer('A', 3)), car, knowing(conflicting)).state).toBe('eligible');
    const own = offers(offer('A', 2, { conflicts: [demand('B', 1)] }));
    expect(planVehicle(own, vehicle(ecuState('A'), ecuState('B')), RULES)).toMatchObject({ reason: 'conflict' });
  });

  it('is not stopped by demands that were unmet before and that it does not touch', () => {
    const lonely = facts('B', 1, { requires: [demand('C', 9)] });
    const car = vehicle(ecuState('A'), ecuState('B', { installed: reported('B', 1) }), ecuState('C'));
    expect(planVehicle(offers(offer('A', 2)), car, knowing(lonely)).state).toBe('eligible');
  });

  it('assigns only what it was offered, for ECUs that the vehicle has, and then has nothing to do', () => {
    const ecus = ['A', 'B', 'C'];
    const some = fc.subarray(ecus);
    fc.assert(
      fc.property(
        some,
        some,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        (has, gets, old, next) => {
          const car = vehicle(...has.map((id) => ecuState(id, { installed: reported(id, old) })));
          const list = gets.map((id) => offer(id, next));
          const decision = planVehicle(offers(...list), car, RULES);
          if (decision.state !== 'eligible') return;
          expect(next).toBeGreaterThan(old);
          expect(decision.assign.map(({ ecu }) => ecu)).toEqual(gets.filter((id) => has.includes(id)));
          const after = vehicle(
            ...car.ecus.map((ecu) => ({ ...ecu, assigned: decision.assign.find((one) => one.ecu === ecu.id)?.target })),
          );
          expect(planVehicle(offers(...list), after, knowing(...list)).state).toBe('nothing-to-do');
        },
      ),
    );
  });
});

describe('planTakingBack', () => {
  it('keeps what another assignment demands (R3)', () => {
    const needing = facts('A', 2, { requires: [demand('B', 2)] });
    const car = vehicle(ecuState('A', { assigned: needing.target }), ecuState('B'));
    const takenBack = new Set(['B']);
    expect(planTakingBack(car, { ...knowing(needing), takenBack })).toMatchObject({ reason: 'requirement', ecu: 'A' });
    const reportedIt = vehicle(
      ecuState('A', { assigned: needing.target }),
      ecuState('B', { installed: reported('B', 2) }),
    );
    expect(planTakingBack(reportedIt, { ...knowing(needing), takenBack })).toBeUndefined();
  });
});
