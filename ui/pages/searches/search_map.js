// The circle of a search, its centre and edge to drag, and a pin for every business found.
// Whatever a business is called, it is only ever a title attribute here: no markup is made of it.
import { leaflet as L } from "nicegui-leaflet";

const PIN =
  '<svg width="22" height="28" viewBox="0 0 22 28" aria-hidden="true"><path class="body" d="M11 1c5.5 0 10 4.300 10 9.700C21 17 15 22.500 11 27 7 22.500 1 17 1 10.700 1 5.300 5.500 1 11 1z"/><circle cx="11" cy="10.500" r="3.600" fill="var(--surface)"/></svg>';

function pinIcon(isNew) {
  return L.divIcon({ className: isNew ? "p-pin" : "p-pin dim", html: PIN, iconSize: [22, 28], iconAnchor: [11, 27] });
}

// Many neighbours as one disc with their number; blue where one of them is new.
function groupIcon(count, isNew) {
  const size = count < 10 ? 28 : count < 100 ? 34 : 42;
  const disc = document.createElement("span");
  disc.textContent = count;
  return L.divIcon({ className: isNew ? "p-pins" : "p-pins dim", html: disc, iconSize: [size, size] });
}

const GROUP_ABOVE = 200; // pins; fewer are legible one by one
const GROUP_PX = 46; // as wide as a disc and some air

// Where there is no picture, an even grid says at least that the ground is flat.
const Squares = L.GridLayer.extend({
  createTile() {
    const square = document.createElement("div");
    square.className = "p-map-square";
    return square;
  },
});

function theme() {
  return document.body.classList.contains("body--dark") ? "dark" : "light";
}

export default {
  template: '<div class="p-map"></div>',
  props: {
    resourcePath: String,
    centre: Array,
    radius: Number,
    least: Number,
    most: Number,
    editable: Boolean,
    tiles: String,
    credit: String,
    pins: Array,
    mostPins: Number,
    language: String,
    words: Object,
  },
  async mounted() {
    await this.$nextTick();
    await this.style();
    this.map = L.map(this.$el, { zoomControl: false, attributionControl: false, scrollWheelZoom: false, zoomSnap: 0.25 });
    this.map.setView(this.centre, 13, { animate: false }); // markers can be dragged only on a map that stands somewhere
    L.control.zoom({ position: "topright", zoomInTitle: this.words.closer, zoomOutTitle: this.words.further }).addTo(this.map);
    this.control = L.control.attribution({ position: "bottomright", prefix: false }).addTo(this.map);
    this.map.on("click", (event) => this.editable && this.move(event.latlng, true));
    this.found = new Map(); // every pin by its lead, the latest last
    this.group = L.layerGroup().addTo(this.map);
    this.map.on("zoomend moveend", () => this.isGrouped && this.drawPins());
    this.draw();
    this.fit();
    this.ground();
    this.showPins();
    this.observer = new ResizeObserver(() => this.map.invalidateSize());
    this.observer.observe(this.$el);
    // Light and dark are a class of <body>; tiles are pictures, and so know nothing of it.
    this.shine = new MutationObserver(() => theme() !== this.picture.options.theme && this.ground());
    this.shine.observe(document.body, { attributeFilter: ["class"] });
  },
  unmounted() {
    this.observer?.disconnect();
    this.shine?.disconnect();
    this.map?.remove();
  },
  watch: {
    centre() {
      this.place();
    },
    radius() {
      this.place();
    },
    editable() {
      this.drags();
    },
    tiles() {
      this.ground();
    },
    pins() {
      this.showPins();
    },
  },
  methods: {
    async style() {
      const href = (window.path_prefix ?? "") + `${this.resourcePath}/leaflet/leaflet.css`;
      if (document.querySelector(`link[href="${href}"]`)) return;
      const sheet = document.createElement("link");
      sheet.rel = "stylesheet";
      sheet.href = href;
      await new Promise((done) => {
        sheet.onload = sheet.onerror = done;
        document.head.append(sheet);
      });
    },
    distance(metres) {
      const number = (value, digits) => value.toLocaleString(this.language, { maximumFractionDigits: digits });
      return metres < 1000 ? `${number(metres, 0)} m` : `${number(metres / 1000, 1)} km`;
    },
    draw() {
      const at = L.latLng(this.centre);
      const colour = getComputedStyle(this.$el).getPropertyValue("--primary").trim() || "#3A49C9";
      this.circle = L.circle(at, { radius: this.radius, color: colour, weight: 2, fillOpacity: 0.08, interactive: false }).addTo(this.map);
      const spot = (className, size) => L.divIcon({ className, iconSize: [size, size] });
      this.middle = L.marker(at, { icon: spot("p-map-cross", 14), draggable: true, title: this.words.centre, alt: this.words.centre, zIndexOffset: 900 }).addTo(this.map);
      this.edge = L.marker(this.edgeOf(at, this.radius), { icon: spot("p-map-edge", 12), draggable: true, title: this.words.radius, alt: this.words.radius, zIndexOffset: 950 }).addTo(this.map);
      this.tag = L.marker(this.edge.getLatLng(), { icon: this.tagIcon(this.radius), interactive: false, keyboard: false, zIndexOffset: 940 }).addTo(this.map);
      this.middle.on("drag", () => this.move(this.middle.getLatLng(), false));
      this.middle.on("dragend", () => this.move(this.middle.getLatLng(), true));
      this.edge.on("drag", () => this.stretch(false));
      this.edge.on("dragend", () => this.stretch(true));
      this.drags();
    },
    drags() {
      for (const marker of [this.middle, this.edge]) {
        if (!marker) continue;
        if (this.editable) marker.dragging.enable();
        else marker.dragging.disable();
      }
      if (this.edge) this.edge.setOpacity(this.editable ? 1 : 0);
    },
    tagIcon(metres) {
      const tag = document.createElement("span");
      tag.textContent = this.distance(metres);
      return L.divIcon({ className: "p-map-tag", html: tag, iconSize: null, iconAnchor: [-12, 11] });
    },
    edgeOf(at, metres) {
      return L.latLng(at.lat, at.lng + metres / (111320 * Math.max(0.05, Math.cos((at.lat * Math.PI) / 180))));
    },
    arrange(at, metres) {
      this.circle.setLatLng(at).setRadius(metres);
      this.middle.setLatLng(at);
      this.edge.setLatLng(this.edgeOf(at, metres));
      this.tag.setLatLng(this.edge.getLatLng());
      this.tag.setIcon(this.tagIcon(metres));
    },
    move(at, isDone) {
      const there = at.wrap();
      this.arrange(there, this.circle.getRadius());
      if (isDone) this.$emit("moved", { lat: there.lat, lng: there.lng });
    },
    stretch(isDone) {
      const step = (metres) => (metres < 2000 ? 100 : 500);
      const asked = this.map.distance(this.middle.getLatLng(), this.edge.getLatLng());
      const rounded = Math.round(asked / step(asked)) * step(asked);
      const metres = Math.min(this.most, Math.max(this.least, rounded));
      this.circle.setRadius(metres);
      this.tag.setLatLng(this.edge.getLatLng());
      this.tag.setIcon(this.tagIcon(metres));
      if (!isDone) return;
      this.arrange(this.middle.getLatLng(), metres);
      this.$emit("stretched", metres);
      this.fit();
    },
    place() {
      if (!this.circle) return;
      const at = L.latLng(this.centre);
      const is_there = this.circle.getLatLng().distanceTo(at) < 1 && this.circle.getRadius() === this.radius;
      if (is_there) return;
      this.arrange(at, this.radius);
      this.fit();
    },
    fit() {
      this.map.fitBounds(L.latLng(this.circle.getLatLng()).toBounds(this.circle.getRadius() * 2), { padding: [14, 14], animate: false });
    },
    ground() {
      if (!this.map) return;
      this.picture?.remove();
      if (this.credited) this.control.removeAttribution(this.credited);
      this.picture = this.tiles ? L.tileLayer(this.tiles, { maxZoom: 20, theme: theme() }) : new Squares({ tileSize: 128, theme: theme() });
      this.picture.addTo(this.map);
      const credit = document.createElement("span");
      credit.textContent = this.credit;
      this.credited = credit.innerHTML;
      this.control.addAttribution(this.credited);
    },
    showPins() {
      if (!this.group) return;
      for (const pin of this.pins ?? []) {
        if (!this.found.has(pin[0])) this.found.set(pin[0], pin);
      }
      for (const id of this.found.keys()) {
        if (this.found.size <= this.mostPins) break;
        this.found.delete(id);
      }
      this.drawPins();
    },
    drawPins() {
      const wanted = this.found.size > GROUP_ABOVE ? this.groups() : this.singles([...this.found.values()]);
      this.isGrouped = this.found.size > GROUP_ABOVE;
      this.drawn ??= new Map();
      for (const [key, marker] of this.drawn) {
        if (wanted.has(key)) continue;
        marker.remove();
        this.drawn.delete(key);
      }
      for (const [key, make] of wanted) {
        if (!this.drawn.has(key)) this.drawn.set(key, make().addTo(this.group));
      }
    },
    singles(pins) {
      return new Map(pins.map((pin) => [`p${pin[0]}`, () => this.pinOf(pin)]));
    },
    pinOf([id, lat, lng, isNew, name]) {
      const marker = L.marker([lat, lng], { icon: pinIcon(isNew), title: name, alt: name, keyboard: false });
      return marker.on("click", () => this.$emit("picked", id));
    },
    groups() {
      const near = new Map();
      const seen = this.map.getBounds().pad(0.5);
      for (const pin of this.found.values()) {
        if (!seen.contains([pin[1], pin[2]])) continue;
        const at = this.map.project([pin[1], pin[2]], this.map.getZoom());
        const square = `${Math.floor(at.x / GROUP_PX)}:${Math.floor(at.y / GROUP_PX)}`;
        if (!near.has(square)) near.set(square, []);
        near.get(square).push(pin);
      }
      const wanted = new Map();
      for (const [square, pins] of near) {
        if (pins.length < 3) {
          for (const [key, make] of this.singles(pins)) wanted.set(key, make);
          continue;
        }
        const isNew = pins.some((pin) => pin[3]);
        wanted.set(`g${this.map.getZoom()}:${square}:${pins.length}:${isNew}`, () => this.groupOf(pins, isNew));
      }
      return wanted;
    },
    groupOf(pins, isNew) {
      const middle = [1, 2].map((n) => pins.reduce((sum, pin) => sum + pin[n], 0) / pins.length);
      const bounds = L.latLngBounds(pins.map((pin) => [pin[1], pin[2]]));
      const words = this.words.group.replace("{n}", pins.length);
      const marker = L.marker(middle, { icon: groupIcon(pins.length, isNew), title: words, alt: words, keyboard: false });
      return marker.on("click", () => this.map.fitBounds(bounds, { padding: [40, 40], maxZoom: 18 }));
    },
  },
};
