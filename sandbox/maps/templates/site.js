/* The page's own script: asks for its list or its place as the real page does, and draws what came.
   Names are written with textContent only: they are whatever somebody typed into the map. */
(() => {
  const page = window.SIMULATED_PAGE;
  const words = page.words;
  const pane = document.getElementById('pane');

  // ---- elements

  function el(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined) made.setAttribute(name, value);
    }
    made.append(...children.filter((child) => child !== null && child !== undefined));
    return made;
  }
  const div = (classes, ...children) => el('div', {class: classes}, ...children);
  const span = (classes, ...children) => el('span', {class: classes || null}, ...children);
  const dot = () => span('', ' ', el('span', {'aria-hidden': 'true'}, '·'), ' ');

  // ---- reading answers

  async function answer(url) {
    const response = await fetch(url, {credentials: 'same-origin'});
    let text = await response.text();
    if (text.startsWith('{')) text = JSON.parse(text.replace(/\/\*""\*\/$/, '')).d;
    if (!text.startsWith(")]}'")) return null;
    return JSON.parse(text.slice(4));
  }

  const at = (thing, ...path) => path.reduce((inner, step) => (inner ? inner[step] : undefined), thing);
  const field = (record, index, ...path) => at(record, index >= 5 ? index + page.shift : index, ...path);

  function recordsIn(root) {
    const found = [
      ...(at(root, 0, 1) || []).map((row) => row[14]),
      ...(root[64] || []).map((row) => row[1]),
      ...(root[71] || []).map((row) => row[2]),
    ].filter(Boolean);
    const seen = new Set();
    return found.filter((record) => !seen.has(field(record, 10)) && seen.add(field(record, 10)));
  }
  const adsIn = (root) => (at(root, 2, 1) || []).flat().map((row) => row[15]).filter(Boolean);

  function placeLink(record) {
    const name = encodeURIComponent(field(record, 11)).replace(/%20/g, '+');
    const kg = field(record, 89) ? `!16s${encodeURIComponent(field(record, 89))}` : '';
    const spot = `!8m2!3d${field(record, 9, 2)}!4d${field(record, 9, 3)}`;
    const data = `!4m7!3m6!1s${field(record, 10)}${spot}${kg}!19s${field(record, 78)}`;
    return `${location.origin}/maps/place/${name}/data=${data}?authuser=0&hl=${page.hl}&rclk=1`;
  }

  const decimal = (value) => {
    const text = Number.isInteger(value) ? value.toFixed(1) : String(value);
    return words.language === 'pt' ? text.replace('.', ',') : text;
  };
  const grouped = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, words.language === 'pt' ? '.' : ',');

  // ---- cards

  function card(record, isAd) {
    const name = field(record, 11);
    const website = page.limited ? null : field(record, 7, 0);
    const shape = page.limited ? 'Nv2PK THOPZb CpccDe ' : 'Nv2PK tH5CWc THOPZb ';
    const inner = div('bfdHYd Ppzolf OFBs3e ', div('rgFiGf OyjIsf '), div('hHbUWd', isAd ? sponsored() : null),
      div('rSy5If'), div('lI9IFe ', div('y7PRA', div('Lui3Od T7Wufd ', div('Z8fK3b', div('OyjIsf '),
        div('UaQhfb fontBodyMedium', div('NrDZNb', div('qBF1Pd fontHeadlineSmall ', name)), rating(record), rows(record)))))
      , buttons(name, website)));
    return div('', el('div', {
      role: 'article', class: shape, 'aria-label': name, jsaction: 'mouseover:pane.card; mouseout:pane.card',
    }, el('a', {class: 'hfpxzc', 'aria-label': name, href: placeLink(record), jsaction: 'pane.card'}), inner));
  }

  function sponsored() {
    const head = el('h1', {class: 'kpih0e f8ia3c uvopNe', 'aria-label': words.sponsored}, span('jHLihd lV5Ihd', words.sponsored));
    return div('OcdnDb ', head);
  }

  function rating(record) {
    const stars = field(record, 4, 7);
    if (typeof stars !== 'number') return null;
    const count = field(record, 4, 8);
    const said = words.stars.replace('{n}', decimal(stars)) + (count ? ` ${field(record, 4, 3, 1)}` : '');
    const shown = span('ZkP5Je', span('MW4etd', decimal(stars)), count ? span('UY7F9', `(${grouped(count)})`) : null);
    shown.setAttribute('role', 'img');
    shown.setAttribute('aria-label', said);
    return div('W4Efsd', div('AJB7ye', span('e4rVHe fontBodyMedium', shown)));
  }

  function rows(record) {
    const street = field(record, 183, 1, 1);
    const open = field(record, 203, 1, 4, 0);
    const phone = field(record, 178, 0, 0);
    return div('W4Efsd',
      div('W4Efsd', span('', span('', field(record, 13, 0))), street ? dot() : null, street ? span('', span('', street)) : null),
      open || phone ? div('W4Efsd', open ? span('', span('', open)) : null, open && phone ? dot() : null,
        phone ? span('UsdlK', phone) : null) : null);
  }

  function buttons(name, website) {
    if (page.limited) return div('Rwjeuc');
    const visit = website && el('a', {
      class: 'lcr4fd S9kvJb ', 'data-value': 'Website', 'aria-label': `${words.website}: ${name}`, href: website,
    }, div('R8c4Qb fontLabelMedium', words.website));
    const route = el('button', {class: 'S9kvJb ', 'data-value': 'Directions', 'aria-label': `${words.directions}: ${name}`},
      div('R8c4Qb fontLabelMedium', words.directions));
    return div('Rwjeuc', visit ? div('etWJQ', visit) : null, div('etWJQ', route));
  }

  // ---- the list

  function listUrl(offset) {
    const url = new URL(page.list, location.href);
    const pb = url.searchParams.get('pb').replace(/!8i\d+/, '').replace('!7i20', `!7i20!8i${offset}`);
    url.searchParams.set('pb', pb);
    return url.pathname + url.search;
  }

  function feedFor(root) {
    const feed = el('div', {
      class: 'm6QErb DxyBCb kA9KIf dS8AEf XiKgde ecceSd', role: 'feed', tabindex: '-1',
      'aria-label': words.results_for.replace('{query}', page.query),
    });
    const state = {offset: 0, drawn: 0, waiting: [], isLast: false, isBusy: false, isDone: false};

    function draw(limit) {
      while (state.waiting.length && limit-- > 0) {
        if (page.stallAt !== null && state.drawn >= page.stallAt) return;
        const [record, isAd] = state.waiting.shift();
        feed.append(card(record, isAd), div('TFQHme'));
        state.drawn += 1;
      }
    }

    function take(answered) {
      const records = answered ? recordsIn(answered) : [];
      if (state.offset === 0) state.waiting.push(...adsIn(answered).map((record) => [record, true]));
      state.waiting.push(...records.map((record) => [record, false]));
      state.offset += 20;
      state.isLast = records.length < 20;
    }

    function finish() {
      if (state.isDone || (page.stallAt !== null && state.waiting.length)) return;
      state.isDone = true;
      feed.append(div('m6QErb XiKgde tLjsW eKbjU ', div('PbZDve ',
        el('p', {class: 'fontBodyMedium '}, span('', span('HlvSq', words.end_of_list))))));
    }

    async function more() {
      if (state.isBusy || state.isDone) return;
      state.isBusy = true;
      draw(Infinity);
      if (!state.isLast) {
        take(await answer(listUrl(state.offset)));
        draw(Infinity);
      }
      if (state.isLast) finish();
      state.isBusy = false;
    }

    feed.addEventListener('scroll', () => {
      if (feed.scrollTop + feed.clientHeight >= feed.scrollHeight - 300) more();
    });
    take(root);
    draw(page.firstCards);
    if (state.isLast && !state.waiting.length) finish();
    return feed;
  }

  function main(label, ...children) {
    pane.replaceChildren(el('div', {class: 'm6QErb WNBkOb XiKgde ', role: 'main', 'aria-label': label}, ...children));
  }

  function limitedBanner() {
    if (!page.limited) return null;
    return el('div', {class: 'm6QErb XiKgde limited', jslog: '295515;mutable:true;'},
      div('S3H0Nb fontBodyMedium', span('', `${words.limited} `, el('button', {class: 'kyuRq'}, words.limited_more))));
  }

  function nothing() {
    main(page.query, div('Q2vNVc fontBodyMedium', el('div', {}, words.nothing_found.replace('{query}', page.query)),
      el('div', {}, words.nothing_hint)));
  }

  async function showList() {
    const root = await answer(page.list);
    if (!root) return;
    const records = recordsIn(root);
    if (!records.length) return nothing();
    if (records.length === 1 && !adsIn(root).length) {
      const only = records[0];
      if (!page.isArea) goTo(field(only, 9, 2), field(only, 9, 3), 17);
      history.replaceState(null, '', withAt(placeLink(only)));
      return showPlace(previewUrl(only));
    }
    if (!location.pathname.includes('/@')) {
      history.replaceState(null, '', `/maps/search/${encodeURIComponent(page.query)}/${page.at}${location.search}`);
    }
    main(null, feedFor(root), limitedBanner());
    pins(records);
  }

  const withAt = (link) => link.replace('/data=', `/${page.at}/data=`);

  // ---- a place

  function goTo(lat, lng, zoom) {
    Object.assign(page, {lat, lng, zoom, at: `@${lat},${lng},${zoom}z`});
    scene.replaceChildren();
    ground();
  }

  function previewUrl(record) {
    const pb = `!1m2!1s${field(record, 10)}!2s${field(record, 11)}`;
    const asked = new URLSearchParams({authuser: '0', hl: page.hl, gl: page.gl, q: field(record, 11), pb});
    return `/maps/preview/place?${asked}`;
  }

  const item = (id, label, text, href) => div('RcCsl fVHpi w4vB1d NOE9ve M0S7ae AG25L ', el(href ? 'a' : 'button', {
    class: 'CsEnBe', 'data-item-id': id, 'aria-label': `${label} `, href,
  }, div('AeaXub', div('rogA2c ', div('Io6YTe fontBodyMedium kR99db fdkmkc ', text)))));

  async function showPlace(url) {
    const root = await answer(url);
    const record = root && root[6];
    if (!record) return nothing();
    const name = field(record, 11);
    const stars = field(record, 4, 7);
    const count = field(record, 4, 8);
    const address = field(record, 39);
    const phone = field(record, 178, 0);
    const website = field(record, 7);
    const code = field(record, 183, 2, 2, 0);
    const open = field(record, 203, 1, 4, 0);
    const score = typeof stars === 'number' ? div('F7nice ', span('', el('span', {'aria-hidden': 'true'}, decimal(stars))),
      count ? span('', el('span', {role: 'img', 'aria-label': field(record, 4, 3, 1)}, `(${grouped(count)})`)) : null) : null;
    const tabs = page.limited ? [words.overview, words.about] : [words.overview, words.reviews, words.about];
    main(name, div('panel', el('h1', {class: 'DUwDvf lfPIob'}, name), score,
      el('button', {class: 'DkEaL ', jsaction: 'pane.place.category'}, field(record, 13, 0)),
      el('div', {role: 'tablist'}, ...tabs.map((label) => el('button', {role: 'tab', class: 'hh2c6 '}, label))),
      address ? item('address', words.address.replace('{value}', address), address) : null,
      open ? div('OqCZI fontBodyMedium WVXvdc', open) : null,
      website ? item('authority', `Website: ${website[1]}`, website[1], website[0]) : null,
      phone ? item(`phone:tel:${phone[3]}`, words.phone.replace('{value}', phone[0]), phone[0]) : null,
      code ? item('oloc', words.plus_code.replace('{value}', code), code) : null), limitedBanner());
    pins([record]);
  }

  // ---- the map behind

  const scene = document.getElementById('scene');
  function worldAt(lat, lng, zoom) {
    const sine = Math.sin(lat * Math.PI / 180);
    const side = 256 * 2 ** zoom;
    return [(lng + 180) / 360 * side, (0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI)) * side];
  }
  function origin() {
    const zoom = Math.min(Math.max(Math.round(page.zoom), 3), 19);
    const [x, y] = worldAt(page.lat, page.lng, zoom);
    return {zoom, left: x - (innerWidth + 408) / 2, top: y - innerHeight / 2};
  }
  function ground() {
    const {zoom, left, top} = origin();
    for (let x = Math.floor(left / 256); x * 256 < left + innerWidth; x += 1) {
      for (let y = Math.floor(top / 256); y * 256 < top + innerHeight; y += 1) {
        if (x < 0 || y < 0 || x >= 2 ** zoom || y >= 2 ** zoom) continue;
        const tile = el('img', {src: `/tiles/${zoom}/${x}/${y}.svg`, alt: ''});
        tile.style.cssText = `left:${x * 256 - left}px;top:${y * 256 - top}px`;
        scene.append(tile);
      }
    }
  }
  function pins(records) {
    const {zoom, left, top} = origin();
    for (const record of records) {
      const [x, y] = worldAt(field(record, 9, 2), field(record, 9, 3), zoom);
      const pin = el('i');
      pin.style.cssText = `left:${x - left}px;top:${y - top}px`;
      scene.append(pin);
    }
  }

  if (page.kind === 'nothing') nothing();
  else {
    ground();
    if (page.kind === 'search') showList();
    else showPlace(page.preview);
  }
})();
