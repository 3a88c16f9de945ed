import fc from 'fast-check';
import {
  compareImei,
  iccidDigits,
  iccidSpellings,
  isLuhnValid,
  luhnCheckDigit,
  normaliseIccid,
  normaliseImei,
  normaliseImsi,
  normaliseMsisdn,
  normalisePlmn,
} from './identifiers';

const digits = (length: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: length, maxLength: length }).map((all) => all.join(''));

describe('Luhn', () => {
  test.each(['79927398713', '4539578763621486', '490154203237518'])('%s is right', (number) => {
    expect(isLuhnValid(number)).toBe(true);
  });
  test.each(['79927398710', '', '0', '12a4', '49015420323751٨'])('%p is not', (number) => {
    expect(isLuhnValid(number)).toBe(false);
  });
  test('of the ten digits that could follow, one is right', () => {
    fc.assert(
      fc.property(digits(18), (body) => {
        const right = [...'0123456789'].filter((digit) => isLuhnValid(body + digit));
        expect(right).toEqual([luhnCheckDigit(body)]);
      }),
    );
  });
});

describe('ICCID', () => {
  const body = '8988303000001234567';
  const full = body + luhnCheckDigit(body);

  test('20 digits with the check digit and the 19 without it are one SIM', () => {
    expect(normaliseIccid(full)).toBe(body);
    expect(normaliseIccid(body)).toBe(body);
  });

  test('19 digits with their check digit stand for themselves', () => {
    const short = '893407110002222222';
    const printed = short + luhnCheckDigit(short);
    expect(isLuhnValid(printed)).toBe(true);
    expect(normaliseIccid(printed)).toBe(printed);
  });

  test('grouping and the filler F of the card file do not matter', () => {
    expect(normaliseIccid('8988 3030 0000 1234 567')).toBe(body);
    expect(normaliseIccid('89-88303-0000-01234567')).toBe(body);
    expect(normaliseIccid(`${body}F`)).toBe(body);
    expect(normaliseIccid(`${body}f`)).toBe(body);
  });

  test('a 20th digit that is no check digit belongs to the number', () => {
    const others = [...'0123456789'].map((digit) => body + digit).filter((number) => number !== full);
    expect(others.map(normaliseIccid)).toEqual(others);
  });

  test('two different 20-digit numbers never meet', () => {
    fc.assert(
      fc.property(digits(18), digits(18), (a, b) => {
        fc.pre(a !== b);
        expect(normaliseIccid(`89${a}`)).not.toBe(normaliseIccid(`89${b}`));
      }),
    );
  });

  test('every spelling of a key leads back to it, and the key to itself', () => {
    fc.assert(
      fc.property(fc.oneof(digits(17), digits(18)), (rest) => {
        const key = normaliseIccid(`89${rest}`)!;
        expect(normaliseIccid(key)).toBe(key);
        expect(iccidSpellings(key).map(normaliseIccid)).toEqual(iccidSpellings(key).map(() => key));
        expect(iccidSpellings(key)).toContain(`89${rest}`);
      }),
    );
  });

  test.each([
    '',
    '89',
    '898830300000123456',
    '898830300000123456789',
    `${full}F`,
    `${body}FF`,
    '1988303000001234567',
    '8988303000001234x67',
    '٨٩88303000001234567',
    '8988303000001234567\0',
    `8988303000001234567${' '.repeat(100)}`,
    '8988303000001234567\n',
    'F',
    '890000000000000000F',
  ])('%p is none', (text) => {
    expect(normaliseIccid(text)).toBeNull();
  });

  test('what was given is kept without its grouping', () => {
    expect(iccidDigits(`8988 3030 0000 1234 567${full.at(-1)}`)).toBe(full);
    expect(iccidDigits(`${body}F`)).toBe(body);
  });

  test('no text makes it throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        const key = normaliseIccid(text);
        expect(key === null || /^89\d{17,18}$/.test(key)).toBe(true);
      }),
    );
  });
});

describe('IMEI', () => {
  test('an IMEI and the IMEISV of one device share TAC and serial', () => {
    expect(normaliseImei('490154203237518')).toEqual({
      imei: '490154203237518',
      imei14: '49015420323751',
      tac: '49015420',
      softwareVersion: null,
    });
    expect(normaliseImei('4901542032375102')).toEqual({
      imei: '4901542032375102',
      imei14: '49015420323751',
      tac: '49015420',
      softwareVersion: '02',
    });
  });
  test('the check digit is not looked at, since networks send 0', () => {
    expect(compareImei('490154203237518', '490154203237510')).toBe('SAME');
  });
  test('grouping does not matter', () => {
    expect(normaliseImei('49-015420-323751-8')?.imei).toBe('490154203237518');
  });
  test.each(['', '4901542032375', '49015420323751812', '49015420323751a', '４90154203237518'])('%p is none', (text) => {
    expect(normaliseImei(text)).toBeNull();
  });
  test.each([
    ['490154203237518', '490154203237518', 'SAME'],
    ['490154203237518', '4901542032375102', 'SAME'],
    ['4901542032375101', '4901542032375102', 'SOFTWARE_VERSION'],
    ['490154203237518', '490154203237526', 'SERIAL'],
    ['490154203237518', '4901542132375102', 'TAC'],
    ['490154203237518', '', null],
    ['unknown', '490154203237518', null],
    ['49015420323751', '490154203237518', 'SAME'],
  ])('%s against %s: %s', (a, b, difference) => {
    expect(compareImei(a, b)).toBe(difference);
    expect(compareImei(b, a)).toBe(difference);
  });
});

describe('IMSI, MSISDN, PLMN', () => {
  test.each([
    ['901405100000001', '901405100000001'],
    ['21407', null],
    ['214070', '214070'],
    ['2140712345678901', null],
    ['214 07 1234567890', '214071234567890'],
    ['21407123456789x', null],
  ])('IMSI %s is %s', (text, expected) => expect(normaliseImsi(text)).toBe(expected));
  test.each([
    ['+34 600 123 456', '34600123456'],
    ['0034600123456', '34600123456'],
    ['882360001234567', '882360001234567'],
    ['+8835100012345678', null],
    ['0600123456', null],
    ['', null],
    ['+', null],
  ])('MSISDN %s is %s', (text, expected) => expect(normaliseMsisdn(text)).toBe(expected));
  test.each([
    ['21407', '214-07'],
    ['214-07', '214-07'],
    ['310410', '310-410'],
    ['310-410', '310-410'],
    ['901-40', '901-40'],
    ['2147', null],
    ['214-7', null],
    ['3104100', null],
    ['ABCDE', null],
    ['', null],
  ])('PLMN %s is %s', (text, expected) => expect(normalisePlmn(text)).toBe(expected));
});
