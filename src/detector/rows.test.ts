import { codeOf, DetectionDraft, nameAt, subjects, type Kind } from '.';

const kind = (id: string): Kind => ({ id, title: id, severity: 'WARNING', subject: 'SIM', window: 'DAY', judged: 'ANY_TIME' });

describe('walking rows', () => {
  it('finds the SIMs of an events input', () => {
    expect([...subjects(Float64Array.of(3, 3, 1, 7, 7, 7), 6)]).toEqual([
      { from: 0, to: 2 },
      { from: 2, to: 3 },
      { from: 3, to: 6 },
    ]);
    expect([...subjects(new Float64Array(0), 0)]).toEqual([]);
  });

  it('reads categories, and matches no row with a name that does not occur', () => {
    const column = { codes: Int32Array.of(1, -1), names: ['REBOOT', 'TLS_ERROR'] };
    expect([nameAt(column, 0), nameAt(column, 1), codeOf(column, 'TLS_ERROR'), codeOf(column, 'DETACHED')]).toEqual([
      'TLS_ERROR',
      null,
      1,
      -2,
    ]);
  });
});

describe('a detection under way', () => {
  it('puts each verdict in the cell of its row and kind', () => {
    const draft = new DetectionDraft({ rows: 2, wasFiring: Uint8Array.of(0, 1, 0, 0), consecutiveWindows: Int32Array.of(0, 4, 0, 0) }, [
      kind('A'),
      kind('B'),
    ]);
    const second = draft.kind('B');
    expect([second.wasFiring(0), second.wasFiring(1), second.consecutiveWindows(0)]).toEqual([true, false, 4]);
    draft.kind('A').judge(0, 1.5, 2);
    second.abstain(1, 'no baseline');
    expect(draft.detection()).toEqual({
      scores: Float64Array.of(1.5, 0, 0, NaN),
      fires: Uint8Array.of(2, 0, 0, 0),
      abstained: [{ row: 1, kind: 'B', reason: 'no baseline' }],
    });
  });

  it('refuses a kind that the detector does not declare', () => {
    const draft = new DetectionDraft({ rows: 0, wasFiring: new Uint8Array(0), consecutiveWindows: new Int32Array(0) }, [kind('A')]);
    expect(() => draft.kind('C')).toThrow('expected one of the declared kinds A, got C');
  });
});
