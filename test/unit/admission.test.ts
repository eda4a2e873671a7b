import fc from 'fast-check';
import { Admission, type Reservation } from '../../services/gateway/admission.ts';

describe('admission', () => {
  test('refuses what passes the bound, and nothing else', () => {
    const admission = new Admission(10);
    const first = admission.open();
    first.grow(6);
    const second = admission.open();
    expect(() => second.grow(5)).toThrow(expect.objectContaining({ code: 'BYTES_IN_FLIGHT_EXCEEDED' }));
    second.grow(4);
    expect(admission.bytesInFlight).toBe(10);
  });

  test('gets everything back once, and nothing grows afterwards', () => {
    const admission = new Admission(10);
    const reservation = admission.open();
    reservation.grow(6);
    reservation.release();
    reservation.release();
    reservation.grow(3);
    expect(admission.bytesInFlight).toBe(0);
  });

  test('always counts exactly what is held', () => {
    const step = fc.record({
      who: fc.nat(4),
      what: fc.oneof(fc.constant<'release'>('release'), fc.nat(60)),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const admission = new Admission(100);
        const held = new Map<number, { reservation: Reservation; bytes: number }>();
        for (const { who, what } of steps) {
          const holder = held.get(who) ?? { reservation: admission.open(), bytes: 0 };
          held.set(who, holder);
          if (what === 'release') {
            holder.reservation.release();
            held.delete(who);
          } else {
            const total = [...held.values()].reduce((sum, { bytes }) => sum + bytes, 0);
            const fits = total + what <= 100;
            if (fits) {
              holder.reservation.grow(what);
              holder.bytes += what;
            } else expect(() => holder.reservation.grow(what)).toThrow();
          }
          const total = [...held.values()].reduce((sum, { bytes }) => sum + bytes, 0);
          expect(admission.bytesInFlight).toBe(total);
        }
      }),
    );
  });
});
