# ruff: noqa: E501 - one row a trade reads better than a folded one
"""What businesses of the invented city do: the map's categories, the words people search them by, how they name themselves.

Plain data.  `words` are what a search may say, in both languages, beside the two names themselves; one word may stand
for several trades ("dentista" also brings dental clinics).  `heads` begin a business's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from unicodedata import combining, normalize


@dataclass(frozen=True)
class Trade:
    key: str  # the site's own name of the category, as in gcid:dentist
    pt: str
    en: str
    words: tuple[str, ...]
    heads: tuple[str, ...]
    weight: int = 10  # how many of them a city has, against the others
    code: str | None = None  # the site's icon family, where it has one
    hours: str = "office"  # a row of hours.PATTERNS
    extras: tuple[tuple[str, str], ...] = ()  # second categories, Portuguese and English
    visits: bool = False  # goes to its customers, so one in four shows no address
    priced: bool = False  # shows a price level
    orders: bool = False  # takes orders and has a menu

    def label(self, language: str) -> str:
        return self.pt if language == "pt" else self.en


def _t(key: str, pt: str, en: str, words: str, heads: str, weight: int = 10, **more: object) -> Trade:
    extras = tuple(tuple(pair.split("/")) for pair in str(more.pop("extras", "")).split("|") if pair)
    return Trade(
        key,
        pt,
        en,
        tuple(word.strip() for word in words.split(",")),
        tuple(head.strip() for head in heads.split(",")),
        weight,
        extras=extras,  # type: ignore[arg-type]
        **more,  # type: ignore[arg-type]
    )


FOOD = {"priced": True, "orders": True}

# fmt: off
TRADES: tuple[Trade, ...] = (
    # --- health
    _t("dentist", "Dentista", "Dentist", "dentistas, odontologia, odontologo, dental, dentists",
       "Odonto, Sorriso, Consultório Dental, Oral, Dentes & Cia", 15, extras="Periodontista/Periodontist|Endodontista/Endodontist"),
    _t("dental_clinic", "Clínica odontológica", "Dental clinic", "dentista, dentistas, odontologia, clinica dentaria, dentist, dental",
       "Clínica Odontológica, Espaço Oral, Clínica do Sorriso, OdontoCenter", 14, extras="Dentista de emergência/Emergency dental service"),
    _t("dental_implants_provider", "Implantodontista", "Dental implants provider", "implante dentario, implantes, dentista, dental implants, dentist",
       "Implantes, Instituto de Implantes, Oral Implantes", 4, extras="Protético/Denture care center"),
    _t("orthodontist", "Ortodontista", "Orthodontist", "aparelho dentario, ortodontia, dentista, braces, dentist",
       "Orto, Ortodontia, Aparelhos", 4),
    _t("doctor", "Médico", "Doctor", "medicos, consultorio medico, doctors, clinica medica",
       "Consultório, Clínica, Medicina", 14, code="SearchResult.TYPE_DOCTOR"),
    _t("medical_clinic", "Clínica médica", "Medical clinic", "clinica, clinicas, clinic, posto medico",
       "Clínica, Centro Médico, Policlínica, Vida e Saúde", 13, extras="Clínico geral/General practitioner"),
    _t("dermatologist", "Dermatologista", "Dermatologist", "pele, dermatologia, skin doctor",
       "Derma, Pele, Clínica da Pele", 5),
    _t("psychologist", "Psicólogo", "Psychologist", "psicologa, psicologia, terapia, terapeuta, therapist",
       "Psico, Espaço Terapêutico, Consultório de Psicologia", 12, extras="Psicoterapeuta/Psychotherapist"),
    _t("physical_therapist", "Fisioterapeuta", "Physical therapist", "fisioterapia, fisio, physiotherapy",
       "Fisio, Fisioterapia, Movimento", 8, extras="Clínica de fisioterapia/Physical therapy clinic"),
    _t("nutritionist", "Nutricionista", "Nutritionist", "nutricao, nutrition, dieta",
       "Nutri, Nutrição, Espaço Nutrir", 6),
    _t("optician", "Ótica", "Optician", "otica, oticas, oculos, glasses, eyewear",
       "Ótica, Óticas, Visão", 9, hours="shop", code="SearchResult.TYPE_SHOPPING"),
    _t("medical_laboratory", "Laboratório", "Medical laboratory", "exames, laboratorio de analises, lab",
       "Laboratório, Análises, LabVida", 4),
    _t("pharmacy", "Farmácia", "Pharmacy", "farmacias, drogaria, drogarias, drugstore, pharmacies",
       "Farmácia, Drogaria, Farma", 20, hours="long", code="SearchResult.TYPE_PHARMACY", extras="Drogaria/Drug store"),
    _t("veterinarian", "Veterinário", "Veterinarian", "veterinaria, clinica veterinaria, vet, hospital veterinario",
       "Clínica Veterinária, Vet, Hospital Veterinário, Bicho Bom", 11, extras="Serviço veterinário de emergência/Emergency veterinarian service"),
    _t("pet_store", "Pet shop", "Pet store", "petshop, pet shops, banho e tosa, animais, loja de animais, pet",
       "Pet Shop, Mundo Pet, Bichos, Patas, Focinho", 18, hours="shop", extras="Banho e tosa/Pet groomer"),
    # --- beauty and body
    _t("beauty_salon", "Salão de beleza", "Beauty salon", "saloes de beleza, cabeleireira, beleza, salao, salon",
       "Salão, Espaço Beleza, Studio, Beleza", 26, hours="salon", code="SearchResult.TYPE_BEAUTY_SALON", extras="Manicure/Nail salon|Cabeleireiro/Hairdresser"),
    _t("hair_salon", "Cabeleireiro", "Hair salon", "cabelo, cabeleireiros, hairdresser, salao de beleza",
       "Cabelos, Hair, Tesoura de Ouro, Studio Hair", 15, hours="salon"),
    _t("barber_shop", "Barbearia", "Barber shop", "barbearias, barbeiro, barber",
       "Barbearia, Barber, Navalha", 18, hours="salon"),
    _t("nail_salon", "Manicure", "Nail salon", "unhas, manicure e pedicure, esmalteria, nails",
       "Esmalteria, Unhas, Nails", 9, hours="salon"),
    _t("skin_care_clinic", "Clínica de estética", "Skin care clinic", "estetica, clinica estetica, depilacao, aesthetic clinic, spa",
       "Estética, Clínica de Estética, Espaço Corpo", 12, hours="salon", extras="Serviço de depilação a laser/Laser hair removal service"),
    _t("tattoo_shop", "Estúdio de tatuagem", "Tattoo shop", "tatuagem, tatuador, tattoo, piercing",
       "Tattoo, Tinta, Estúdio", 6, hours="salon"),
    _t("gym", "Academia", "Gym", "academias, musculacao, fitness, ginastica, academia de ginastica",
       "Academia, Fit, Corpo Ativo, Força", 14, hours="long", code="SearchResult.TYPE_GYM", extras="Personal trainer/Personal trainer"),
    _t("functional_training_gym", "Box de treino funcional", "Functional training gym", "treino funcional, funcional, academia",
       "Box, Funcional, Arena", 4, hours="long"),
    _t("pilates_studio", "Estúdio de pilates", "Pilates studio", "pilates",
       "Pilates, Studio Pilates, Equilíbrio", 7, hours="long"),
    _t("yoga_studio", "Estúdio de ioga", "Yoga studio", "yoga, ioga, meditacao",
       "Yoga, Espaço Yoga, Respira", 4, hours="long"),
    _t("dance_school", "Escola de dança", "Dance school", "danca, ballet, aula de danca, dance",
       "Escola de Dança, Ballet, Passo a Passo", 4, hours="evening"),
    _t("martial_arts_school", "Escola de artes marciais", "Martial arts school", "jiu jitsu, muay thai, karate, luta, judo, academia",
       "Dojo, Artes Marciais, Equipe", 5, hours="evening"),
    # --- food
    _t("restaurant", "Restaurante", "Restaurant", "restaurantes, comida, almoco, restaurants, self service",
       "Restaurante, Cantina, Sabor, Cozinha, Tempero", 40, hours="meals", code="SearchResult.TYPE_RESTAURANT", extras="Restaurante brasileiro/Brazilian restaurant|Restaurante por quilo/Buffet restaurant", **FOOD),
    _t("pizza_restaurant", "Pizzaria", "Pizza restaurant", "pizza, pizzarias, pizzeria, restaurante",
       "Pizzaria, Forno, Massa Fina", 20, hours="night", code="SearchResult.TYPE_PIZZA", extras="Pizza delivery/Pizza delivery", **FOOD),
    _t("hamburger_restaurant", "Hamburgueria", "Hamburger restaurant", "hamburguer, hamburgueria artesanal, lanche, burger, restaurante",
       "Burger, Hamburgueria, Chapa", 14, hours="night", code="SearchResult.TYPE_RESTAURANT", **FOOD),
    _t("barbecue_restaurant", "Churrascaria", "Barbecue restaurant", "churrasco, churrascarias, rodizio, bbq, restaurante",
       "Churrascaria, Brasa, Espeto", 7, hours="meals", code="SearchResult.TYPE_RESTAURANT", **FOOD),
    _t("sushi_restaurant", "Restaurante japonês", "Japanese restaurant", "sushi, temaki, japones, comida japonesa, restaurante",
       "Sushi, Temaki, Cozinha Oriental", 7, hours="night", code="SearchResult.TYPE_RESTAURANT", **FOOD),
    _t("bakery", "Padaria", "Bakery", "padarias, panificadora, pao, bakeries",
       "Padaria, Panificadora, Pães, Trigo", 22, hours="early", code="SearchResult.TYPE_BAKERY", extras="Confeitaria/Pastry shop", **FOOD),
    _t("pastry_shop", "Confeitaria", "Pastry shop", "bolos, doces, doceria, cake shop",
       "Confeitaria, Doces, Bolos da Casa", 9, hours="shop", **FOOD),
    _t("coffee_shop", "Cafeteria", "Coffee shop", "cafe, cafes, cafeterias, coffee",
       "Café, Cafeteria, Grão", 12, hours="shop", code="SearchResult.TYPE_COFFEE", extras="Loja de café/Coffee store", **FOOD),
    _t("ice_cream_shop", "Sorveteria", "Ice cream shop", "sorvete, gelateria, acai, ice cream",
       "Sorveteria, Gelato, Açaí", 9, hours="night", **FOOD),
    _t("snack_bar", "Lanchonete", "Snack bar", "lanches, lanchonetes, pastelaria, salgados",
       "Lanchonete, Lanches, Pastel", 18, hours="long", **FOOD),
    _t("bar", "Bar", "Bar", "bares, boteco, cervejaria, pub, bars",
       "Bar, Boteco, Empório", 16, hours="night", code="SearchResult.TYPE_BAR", **FOOD),
    _t("supermarket", "Supermercado", "Supermarket", "mercado, mercearia, supermercados, mercadinho, grocery",
       "Supermercado, Mercado, Empório, Mercearia", 14, hours="long", code="SearchResult.TYPE_SUPERMARKET"),
    _t("butcher_shop", "Açougue", "Butcher shop", "acougues, carnes, casa de carnes, butcher",
       "Açougue, Casa de Carnes", 8, hours="shop"),
    _t("caterer", "Buffet", "Caterer", "festas, bufe, buffet infantil, eventos, catering",
       "Buffet, Festas, Celebra", 6, hours="office", visits=True),
    # --- car and motion
    _t("auto_repair_shop", "Oficina mecânica", "Auto repair shop", "oficina, mecanico, mecanica, oficinas, car repair, mechanic",
       "Auto Mecânica, Oficina, Mecânica, Motor", 24, hours="shop", code="SearchResult.TYPE_CAR_REPAIR", extras="Troca de óleo/Oil change service|Serviço de alinhamento/Wheel alignment service"),
    _t("auto_body_shop", "Funilaria e pintura", "Auto body shop", "funilaria, lataria, martelinho de ouro, body shop, oficina",
       "Funilaria, Auto Pintura, Martelinho", 8, hours="shop"),
    _t("tire_shop", "Loja de pneus", "Tire shop", "pneus, borracharia, borracheiro, tyres, tires",
       "Pneus, Borracharia, Roda Livre", 9, hours="shop"),
    _t("car_wash", "Lava-rápido", "Car wash", "lava jato, lava car, estetica automotiva",
       "Lava-Rápido, Lava Car, Brilho", 9, hours="shop"),
    _t("auto_parts_store", "Loja de autopeças", "Auto parts store", "autopecas, auto pecas, pecas, car parts",
       "Auto Peças, Peças, Motor Forte", 8, hours="shop"),
    _t("motorcycle_repair_shop", "Oficina de motos", "Motorcycle repair shop", "moto, motos, oficina, motorcycle",
       "Moto, Duas Rodas, Oficina de Motos", 6, hours="shop"),
    _t("driving_school", "Autoescola", "Driving school", "auto escola, autoescolas, cfc, habilitacao",
       "Autoescola, CFC, Volante", 5),
    _t("gas_station", "Posto de combustível", "Gas station", "posto, posto de gasolina, gasolina, combustivel, fuel",
       "Posto, Auto Posto", 8, hours="always", code="SearchResult.TYPE_GAS_STATION"),
    # --- house and work
    _t("electrician", "Eletricista", "Electrician", "eletricistas, instalacao eletrica, eletrica",
       "Elétrica, Eletro, Luz & Força", 9, hours="shop", visits=True),
    _t("plumber", "Encanador", "Plumber", "encanadores, desentupidora, hidraulica, caca vazamento, plumbing",
       "Desentupidora, Hidráulica, Encanador", 8, hours="always", visits=True),
    _t("locksmith", "Chaveiro", "Locksmith", "chaveiros, chaves, chaveiro 24 horas",
       "Chaveiro, Chaves, Fechadura", 7, hours="always", visits=True),
    _t("pest_control_service", "Dedetizadora", "Pest control service", "dedetizacao, controle de pragas, pest control",
       "Dedetizadora, Controle de Pragas", 4, visits=True),
    _t("cleaning_service", "Serviço de limpeza", "House cleaning service", "limpeza, diarista, faxina, cleaning",
       "Limpeza, Casa Limpa, Brilho", 8, visits=True),
    _t("moving_company", "Empresa de mudanças", "Moving company", "mudanca, mudancas, frete, carreto, movers",
       "Mudanças, Transportes, Fretes", 6, visits=True),
    _t("building_materials_store", "Loja de material de construção", "Building materials store", "material de construcao, materiais de construcao, deposito, construcao",
       "Depósito, Materiais, Casa & Obra", 12, hours="shop", code="SearchResult.TYPE_SHOPPING"),
    _t("construction_company", "Construtora", "Construction company", "construtoras, obras, empreiteira, reformas, builder",
       "Construtora, Engenharia, Obras", 9, visits=True),
    _t("architect", "Arquiteto", "Architect", "arquiteta, arquitetura, escritorio de arquitetura, architecture",
       "Arquitetura, Estúdio, Traço", 7),
    _t("furniture_store", "Loja de móveis", "Furniture store", "moveis, moveis planejados, furniture",
       "Móveis, Casa, Planejados", 11, hours="shop", code="SearchResult.TYPE_SHOPPING"),
    _t("glass_shop", "Vidraçaria", "Glass shop", "vidracarias, vidros, box, espelhos, glazier",
       "Vidraçaria, Vidros", 5, hours="shop"),
    _t("florist", "Floricultura", "Florist", "flores, floriculturas, flower shop",
       "Floricultura, Flores, Jardim", 6, hours="shop"),
    _t("laundry", "Lavanderia", "Laundry", "lavanderias, lavar roupa, tinturaria",
       "Lavanderia, Lava & Passa", 6, hours="shop"),
    _t("computer_repair_service", "Assistência técnica de informática", "Computer repair service", "informatica, conserto de computador, assistencia tecnica, computer repair",
       "Info, Tech, PC", 8, hours="shop"),
    _t("cell_phone_store", "Loja de celulares", "Cell phone store", "celular, celulares, conserto de celular, assistencia tecnica, phone repair",
       "Celulares, Cell, Conecta", 11, hours="shop", code="SearchResult.TYPE_SHOPPING"),
    # --- shops
    _t("clothing_store", "Loja de roupas", "Clothing store", "roupas, moda, boutique, moda feminina, clothes",
       "Modas, Boutique, Closet, Moda", 24, hours="shop", code="SearchResult.TYPE_SHOPPING"),
    _t("shoe_store", "Loja de calçados", "Shoe store", "calcados, sapatos, tenis, shoes",
       "Calçados, Passos, Sapataria", 9, hours="shop", code="SearchResult.TYPE_SHOPPING"),
    _t("stationery_store", "Papelaria", "Stationery store", "papelarias, material escolar, stationery",
       "Papelaria, Papel & Tinta", 7, hours="shop", code="SearchResult.TYPE_SHOPPING"),
    _t("toy_store", "Loja de brinquedos", "Toy store", "brinquedos, toys",
       "Brinquedos, Pião, Ciranda", 4, hours="shop"),
    _t("bicycle_store", "Bicicletaria", "Bicycle store", "bicicletas, bike, bikes, bicycle shop",
       "Bike, Ciclo, Pedal", 5, hours="shop"),
    _t("jewelry_store", "Joalheria", "Jewelry store", "joias, relojoaria, semijoias, jewellery",
       "Joias, Joalheria, Relojoaria", 4, hours="shop"),
    _t("print_shop", "Gráfica", "Print shop", "graficas, grafica rapida, impressao, printing, comunicacao visual",
       "Gráfica, Print, Impressões", 7),
    # --- offices and learning
    _t("lawyer", "Advogado", "Lawyer", "advogados, advogada, advocacia, escritorio de advocacia, attorney, law firm",
       "Advocacia, Escritório Jurídico, Direito", 17, code="SearchResult.TYPE_LAWYER", extras="Escritório de advocacia/Law firm"),
    _t("accounting_firm", "Contabilidade", "Accounting firm", "contador, escritorio de contabilidade, contabil, accountant",
       "Contabilidade, Contábil, Conta Certa", 15, extras="Contador/Accountant"),
    _t("real_estate_agency", "Imobiliária", "Real estate agency", "imobiliarias, corretor de imoveis, imoveis, real estate",
       "Imobiliária, Imóveis, Chave na Mão", 14, code="SearchResult.TYPE_REAL_ESTATE"),
    _t("insurance_agency", "Corretora de seguros", "Insurance agency", "seguros, corretora, seguro, insurance",
       "Seguros, Corretora, Proteção", 7),
    _t("travel_agency", "Agência de viagens", "Travel agency", "viagens, turismo, agencia de turismo, travel",
       "Viagens, Turismo, Rumo Certo", 6),
    _t("marketing_agency", "Agência de marketing", "Marketing agency", "marketing, publicidade, agencia, propaganda, advertising",
       "Marketing, Agência, Ideia", 6),
    _t("language_school", "Escola de idiomas", "Language school", "idiomas, ingles, curso de ingles, english course",
       "Idiomas, Escola de Idiomas, Fala", 7, hours="evening"),
    _t("preschool", "Escola infantil", "Preschool", "creche, bercario, educacao infantil, kindergarten",
       "Escola Infantil, Creche, Cirandinha", 8),
    _t("tutoring_service", "Reforço escolar", "Tutoring service", "aulas particulares, reforco, tutor",
       "Reforço, Aulas, Saber", 5, hours="evening"),
    _t("music_school", "Escola de música", "Music school", "aula de musica, musica, violao, piano lessons",
       "Escola de Música, Acordes, Tom", 4, hours="evening"),
    _t("photographer", "Fotógrafo", "Photographer", "fotografa, fotografia, estudio fotografico, photo studio",
       "Foto, Fotografia, Retratos", 6, visits=True),
    _t("hotel", "Hotel", "Hotel", "hoteis, pousada, hospedagem, hotels, hostel",
       "Hotel, Pousada", 5, hours="always", code="SearchResult.TYPE_HOTEL", priced=True),
)
# fmt: on

EVERYTHING = ("empresa", "negocio", "comercio", "business", "company")
SHOPS = ("loja", "shop", "store")
SMALL_WORDS = {"de", "do", "da", "dos", "das", "e", "em", "no", "na", "the", "a", "o", "of", "in", "and"}


def plain(text: str) -> str:
    """Lower case, without accents, words parted by one space: how the search compares."""
    bare = "".join(letter for letter in normalize("NFKD", text.casefold()) if not combining(letter))
    return " ".join("".join(letter if letter.isalnum() else " " for letter in bare).split())


def singular(word: str) -> str:
    """Good enough for both languages: salões, animais, clinics."""
    for many, one in (("oes", "ao"), ("aes", "ao"), ("ais", "al"), ("eis", "el"), ("ies", "y")):
        if word.endswith(many) and len(word) > 4:
            return word[: -len(many)] + one
    return word[:-1] if word.endswith("s") and len(word) > 3 else word


def sought(text: str) -> str:
    return " ".join(singular(word) for word in plain(text).split() if word not in SMALL_WORDS)


def by_word() -> dict[str, tuple[int, ...]]:
    """From what a search may say to the numbers of the trades it means; the closest trade first."""
    found: dict[str, dict[int, None]] = {}
    for number, trade in enumerate(TRADES):
        for word in (trade.pt, trade.en):
            found.setdefault(sought(word), {})[number] = None
    for number, trade in enumerate(TRADES):
        for word in trade.words:
            found.setdefault(sought(word), {})[number] = None
    for word in EVERYTHING:
        found[sought(word)] = dict.fromkeys(range(len(TRADES)))
    for word in SHOPS:
        found[sought(word)] = {n: None for n, trade in enumerate(TRADES) if trade.hours == "shop"}
    return {word: tuple(numbers) for word, numbers in found.items()}
