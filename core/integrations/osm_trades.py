# ruff: noqa: E501 - one row a trade reads better than a folded one
"""What people call a trade, and how OpenStreetMap tags it.

Plain data.  A row is its tags and then the words for it in Portuguese, English and Spanish; the first is how we name it
in Portuguese, the others need no accents.  In the tags `|` parts what is searched one beside the other, `&` what has to be true at once; `=` is the
whole value, `~` one of several that a semicolon parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.leads.rules import fold


@dataclass(frozen=True)
class Tag:
    key: str
    value: str
    is_listed: bool = False  # one of the values that a semicolon parts


Tags = tuple[Tag, ...]  # all of them at once

_ROWS: tuple[tuple[str, str], ...] = (
    # --- health
    ("amenity=dentist | healthcare=dentist", "dentista, consultorio odontologico, odontologia, odontologo, clinica odontologica, clinica dentaria, dental, dentist, dental clinic, dental office, clinica dental"),
    ("healthcare:speciality~orthodontics | amenity=dentist&dentist:speciality~orthodontics", "ortodontista, ortodontia, aparelho dentario, implantodontista, implante, orthodontist, dental implants provider, braces, ortodoncista, ortodoncia"),
    ("amenity=doctors | healthcare=doctor", "médico, medica, consultorio medico, doutor, doctor, physician, medical practice"),
    ("amenity=clinic | healthcare=clinic | healthcare=centre", "clínica, clinica medica, centro medico, policlinica, clinic, medical clinic, medical center, medical centre, health center, centro de saude, centro de salud"),
    ("amenity=hospital | healthcare=hospital", "hospital, pronto socorro, emergency room"),
    ("amenity=pharmacy | healthcare=pharmacy | shop=chemist", "farmácia, drogaria, pharmacy, drugstore, chemist, drogueria, botica"),
    ("healthcare:speciality~dermatology", "dermatologista, dermatologia, dermatologist, dermatologo"),
    ("healthcare:speciality~paediatrics", "pediatra, pediatria, pediatrician, paediatrician"),
    ("healthcare:speciality~gynaecology", "ginecologista, ginecologia, gynecologist, gynaecologist, ginecologo"),
    ("healthcare:speciality~cardiology", "cardiologista, cardiologia, cardiologist, cardiologo"),
    ("healthcare:speciality~ophthalmology | healthcare=optometrist", "oftalmologista, oftalmologia, oculista, ophthalmologist, eye doctor, optometrist, oftalmologo, optometrista"),
    ("healthcare=psychotherapist | healthcare=psychologist | healthcare:speciality~psychology | office=psychologist", "psicólogo, psicologa, psicologia, psicoterapeuta, terapeuta, terapia, psychologist, psychotherapist, therapist, counselor"),
    ("healthcare=physiotherapist | healthcare:speciality~physiotherapy", "fisioterapeuta, fisioterapia, fisio, clinica de fisioterapia, physiotherapist, physical therapist, physiotherapy, physical therapy, kinesiologo"),
    ("healthcare=nutrition_counselling | healthcare=dietitian | office=dietitian", "nutricionista, nutricao, nutritionist, dietitian, nutricion, dietista"),
    ("healthcare=speech_therapist", "fonoaudiólogo, fonoaudiologa, fonoaudiologia, speech therapist, logopeda"),
    ("healthcare=podiatrist | shop=podiatrist", "podólogo, podologa, podologia, podiatrist, chiropodist"),
    ("healthcare=alternative | shop=herbalist", "acupuntura, acupunturista, quiropraxia, homeopatia, medicina alternativa, acupuncture, chiropractor, homeopath"),
    ("healthcare=laboratory | healthcare=sample_collection", "laboratório, laboratorio de analises, laboratorio de analises clinicas, exame, medical laboratory, lab, laboratorio clinico"),
    ("shop=optician | healthcare=optician", "ótica, oculos, optician, optical store, glasses, eyewear, optica"),
    ("shop=medical_supply", "produtos hospitalares, produto hospitalar, material hospitalar, medical supply, ortopedia tecnica"),
    ("shop=hearing_aids", "aparelhos auditivos, aparelho auditivo, hearing aid, audiologia"),
    ("amenity=nursing_home | social_facility=nursing_home | amenity=social_facility&social_facility:for~senior", "casa de repouso, asilo, lar de idosos, nursing home, residencia de ancianos"),
    ("amenity=veterinary", "veterinário, veterinaria, clinica veterinaria, hospital veterinario, vet, veterinarian, veterinary clinic"),
    ("shop=pet | shop=pet_grooming", "pet shop, petshop, pet, banho e tosa, loja de animal, pet store, pet groomer, tienda de mascota, mascota"),
    # --- beauty and body
    ("shop=beauty | shop=hairdresser", "salão de beleza, salao, beleza, espaco de beleza, beauty salon, salon, salon de belleza"),
    ("shop=hairdresser", "cabeleireiro, cabeleireira, cabelo, hairdresser, hair salon, peluqueria"),
    ("shop=barber | shop=hairdresser&hairdresser~barber | shop=hairdresser&male=yes&female=no", "barbearia, barbeiro, barber, barber shop, barbershop, barberia"),
    ("shop=beauty&beauty~nails | shop=nails", "manicure, unha, esmalteria, pedicure, nail salon, nail, manicura"),
    ("shop=beauty | leisure=spa | amenity=spa", "clínica de estética, estetica, clinica de estetica, clinica estetica, esteticista, depilacao, aesthetic clinic, skin care clinic, beautician, centro de estetica"),
    ("leisure=spa | amenity=spa | shop=massage", "spa, massagem, massagista, massage, masaje"),
    ("shop=tattoo", "estúdio de tatuagem, tatuagem, tatuador, estudio de tatuagem, piercing, tattoo, tattoo shop, tatuaje"),
    ("shop=perfumery | shop=cosmetics", "perfumaria, cosmetico, maquiagem, perfumery, cosmetics, perfumeria"),
    ("leisure=fitness_centre | leisure=sports_centre&sport~fitness", "academia, academia de ginastica, musculacao, fitness, ginastica, treino funcional, box de treino funcional, crossfit, gym, functional training gym, fitness center, fitness centre, gimnasio"),
    ("leisure=fitness_centre&sport~pilates | sport~pilates", "pilates, estudio de pilates, studio de pilates, pilates studio"),
    ("leisure=fitness_centre&sport~yoga | sport~yoga | shop=yoga", "ioga, estudio de ioga, yoga, estudio de yoga, yoga studio"),
    ("leisure=dance | amenity=dancing_school | school=dance", "escola de dança, danca, aula de danca, ballet, dance school, dance studio, academia de baile"),
    ("sport~martial_arts | sport~karate | sport~judo | sport~taekwondo | sport~jiu-jitsu | sport~boxing", "artes marciais, arte marcial, escola de arte marcial, jiu jitsu, karate, judo, muay thai, boxe, luta, martial arts, martial arts school, boxing"),
    ("leisure=sports_centre", "centro esportivo, quadra, society, futebol society, sports center, sports centre, polideportivo"),
    # --- food
    ("amenity=restaurant", "restaurante, comida, self service, almoco, restaurant"),
    ("cuisine~pizza", "pizzaria, pizza, pizzeria, pizza restaurant"),
    ("cuisine~burger", "hamburgueria, hamburguer, burger, hamburger, hamburger restaurant, hamburgueseria"),
    ("cuisine~barbecue | cuisine~steak_house", "churrascaria, churrasco, rodizio, barbecue, barbecue restaurant, bbq, steakhouse, steak house, parrilla, asador"),
    ("cuisine~sushi | cuisine~japanese", "restaurante japonês, japones, comida japonesa, sushi, temaki, temakeria, japanese restaurant"),
    ("cuisine~chinese", "restaurante chinês, comida chinesa, chines, chinese restaurant, comida china, restaurante chino"),
    ("cuisine~italian", "restaurante italiano, cantina, comida italiana, italian restaurant"),
    ("cuisine~mexican", "restaurante mexicano, comida mexicana, mexican restaurant, taqueria"),
    ("cuisine~vegetarian | cuisine~vegan | diet:vegan=only | diet:vegetarian=only", "restaurante vegetariano, restaurante vegano, vegano, vegetariano, vegan restaurant, vegetarian restaurant, vegan"),
    ("cuisine~seafood | cuisine~fish", "frutos do mar, peixe, restaurante de peixe, seafood, seafood restaurant, marisqueria"),
    ("amenity=fast_food", "lanchonete, lanche, fast food, pastelaria, salgado, snack bar, comida rapida"),
    ("amenity=cafe | shop=coffee", "cafeteria, cafe, cafes especiais, coffee shop, coffee"),
    ("amenity=ice_cream | shop=ice_cream | cuisine~ice_cream", "sorveteria, sorvete, gelateria, acai, ice cream, ice cream shop, heladeria"),
    ("amenity=bar | amenity=pub | amenity=biergarten", "bar, boteco, cervejaria, choperia, pub, brewpub, cerveceria"),
    ("amenity=nightclub", "balada, casa noturna, boate, nightclub, club, discoteca"),
    ("shop=bakery", "padaria, panificadora, pao, bakery, panaderia"),
    ("shop=pastry | shop=confectionery | shop=chocolate", "confeitaria, doceria, doce, bolo, chocolateria, pastry shop, cake shop, candy store, pasteleria, reposteria"),
    ("shop=supermarket", "supermercado, mercado, supermarket, grocery store"),
    ("shop=convenience | shop=grocery", "mercearia, mercadinho, minimercado, conveniencia, emporio, convenience store, grocery, tienda de abarrotes, almacen"),
    ("shop=butcher", "açougue, carne, casa de carne, butcher, butcher shop, carniceria"),
    ("shop=seafood | shop=fishmonger", "peixaria, fishmonger, fish market, pescaderia"),
    ("shop=greengrocer | shop=farm", "hortifrúti, quitanda, sacolao, verdureira, greengrocer, verduleria, fruteria"),
    ("shop=health_food | shop=nutrition_supplements", "produtos naturais, loja de produto natural, produto natural, suplemento, health food store, nutrition store, tienda naturista"),
    ("shop=wine | shop=alcohol | shop=beverages", "adega, vinho, deposito de bebida, distribuidora de bebida, bebida, wine shop, liquor store, vinoteca, licoreria"),
    ("craft=caterer | amenity=events_venue | shop=party", "buffet, bufe, buffet infantil, salao de festa, festa, evento, caterer, catering, events venue, salon de evento"),
    # --- car and motion
    ("shop=car_repair | craft=car_repair", "oficina mecânica, oficina, oficina mecanica, mecanico, mecanica, auto center, auto eletrica, car repair, auto repair shop, auto repair, mechanic, garage, taller, taller mecanico"),
    ("shop=car_repair&service~bodywork | shop=car_repair&service:vehicle:bodywork=yes | craft=car_painter | service:vehicle:body_repair=yes", "funilaria, funilaria e pintura, lataria, martelinho de ouro, auto body shop, body shop, chapisteria"),
    ("shop=tyres | service:vehicle:tyres=yes", "loja de pneus, pneu, loja de pneu, borracharia, borracheiro, tire shop, tire, tyre, gomeria, llanteria"),
    ("amenity=car_wash | service:vehicle:car_wash=yes", "lava-rápido, lava jato, lava car, lavagem de carro, estetica automotiva, car wash, lavado de auto"),
    ("shop=car_parts", "autopeças, autopeca, loja de autopeca, auto peca, peca, auto parts store, car parts, repuesto, autoparte"),
    ("shop=car | shop=second_hand_car", "concessionária, revenda de carro, loja de carro, seminovo, carro, car dealer, used car, concesionario"),
    ("shop=motorcycle", "concessionária de motos, concessionaria de moto, loja de moto, moto, motorcycle dealer, motorcycle, tienda de moto"),
    ("shop=motorcycle_repair | craft=motorcycle_repair | shop=motorcycle&service:motorcycle:repair=yes", "oficina de moto, mecanico de moto, motorcycle repair, motorcycle repair shop, taller de moto"),
    ("shop=bicycle", "bicicletaria, bicicleta, bike, loja de bicicleta, bicycle store, bicycle shop, bicicleteria"),
    ("amenity=driving_school", "autoescola, auto escola, cfc, driving school, autoescuela, escuela de manejo"),
    ("amenity=fuel", "posto de combustível, posto de gasolina, posto, gas station, petrol station, gasolinera, estacion de servicio"),
    ("amenity=car_rental", "locadora de carro, locadora de veiculo, aluguel de carro, car rental, alquiler de auto"),
    ("amenity=parking&fee=yes", "estacionamento, parking, parking lot, aparcamiento"),
    ("amenity=taxi | office=taxi", "táxi, ponto de taxi, taxi stand"),
    # --- house and work
    ("craft=electrician | shop=electrical&service~repair", "eletricista, instalacao eletrica, electrician, electricista"),
    ("craft=plumber", "encanador, desentupidora, hidraulica, caca vazamento, plumber, plumbing, plomero, fontanero"),
    ("shop=locksmith | craft=locksmith | craft=key_cutter", "chaveiro, chave, locksmith, cerrajero, cerrajeria"),
    ("shop=pest_control | craft=pest_control | office=pest_control", "dedetizadora, dedetizacao, controle de praga, pest control, pest control service, control de plaga, fumigacion"),
    ("craft=cleaning | shop=cleaning | office=cleaning", "limpeza, servico de limpeza, faxina, diarista, cleaning service, house cleaning, house cleaning service, servicio de limpieza"),
    ("shop=removalist | office=moving_company | craft=removals", "mudanças, mudanca, empresa de mudanca, frete, carreto, moving company, mover, mudanza"),
    ("shop=doityourself | shop=hardware | shop=trade | shop=building_materials", "material de construção, loja de material de construcao, deposito de material, ferragem, ferragista, casa de ferragem, building materials store, hardware store, home improvement store, ferreteria"),
    ("shop=paint", "loja de tintas, loja de tinta, tinta, paint store, pintureria"),
    ("office=construction_company | craft=builder | craft=construction", "construtora, construcao civil, empreiteira, reforma, construction company, builder, contractor, general contractor, constructora"),
    ("craft=painter", "pintor, pintura residencial, painter, pintor de casa"),
    ("craft=carpenter | craft=joiner | craft=cabinet_maker", "marceneiro, marcenaria, carpinteiro, carpintaria, movel planejado, carpenter, joiner, cabinet maker, carpintero, carpinteria"),
    ("craft=metal_construction | craft=blacksmith | craft=welder", "serralheria, serralheiro, metalurgica, solda, welder, metalworker, herreria, herrero"),
    ("craft=glaziery | shop=glaziery | craft=glazier", "vidraçaria, vidraceiro, vidro, box, espelho, glazier, glass shop, vidrieria"),
    ("craft=hvac", "ar condicionado, refrigeracao, climatizacao, instalacao de ar condicionado, hvac, air conditioning, aire acondicionado"),
    ("craft=gardener | shop=garden_centre", "jardinagem, jardineiro, paisagismo, paisagista, gardener, landscaper, garden center, jardinero, vivero"),
    ("craft=roofer", "telhado, telhadista, calheiro, roofer, techador"),
    ("craft=upholsterer", "tapeceiro, tapecaria, estofador, upholsterer, tapicero, tapiceria"),
    ("shop=swimming_pool", "loja de piscinas, piscina, loja de piscina, swimming pool, pool store"),
    ("shop=security | office=security", "segurança, alarme, monitoramento, seguranca eletronica, security, security system, alarma"),
    ("office=architect", "arquiteto, arquiteta, arquitetura, escritorio de arquitetura, architect, architecture firm, arquitecto"),
    ("office=engineer | office=surveyor", "engenheiro, engenharia, topografia, engineer, engineering, ingeniero, ingenieria"),
    ("shop=interior_decoration | shop=curtain | shop=interior_design | office=interior_design", "decoração, cortina, persiana, design de interior, interior designer, interior decoration, decoracion"),
    ("shop=furniture | shop=kitchen | shop=bed", "loja de móveis, loja de movel, movel, colchao, furniture store, furniture, muebleria, tienda de mueble"),
    ("shop=appliance | shop=electronics", "eletrodomésticos, eletrodomestico, eletronico, loja de eletrodomestico, appliance store, electronics store, electrodomestico"),
    ("shop=florist", "floricultura, flor, florist, flower shop, floreria"),
    ("shop=laundry | shop=dry_cleaning", "lavanderia, tinturaria, laundry, dry cleaner, lavanderia autosservico, tintoreria"),
    ("shop=tailor | craft=tailor | craft=dressmaker | shop=sewing", "costureira, alfaiate, atelie de costura, costura, tailor, seamstress, modista, sastre"),
    ("craft=shoemaker | shop=shoe_repair", "sapateiro, conserto de sapato, shoe repair, cobbler, zapatero"),
    ("craft=electronics_repair | shop=electronics&service~repair | shop=appliance_repair", "assistência técnica, conserto de eletrodomestico, electronics repair, appliance repair, servicio tecnico"),
    ("shop=computer | craft=computer_repair", "informática, assistencia tecnica de informatica, conserto de computador, computador, computer store, computer repair, computer repair service, computadora"),
    ("shop=mobile_phone | shop=mobile_phone_accessories | craft=mobile_phone_repair", "loja de celulares, celular, loja de celular, conserto de celular, cell phone store, phone store, mobile phone, phone repair, tienda de celular"),
    # --- shops
    ("shop=clothes | shop=boutique | shop=fashion", "loja de roupas, loja de roupa, roupa, moda, boutique, moda feminina, clothing store, clothes, fashion, tienda de ropa, ropa"),
    ("shop=shoes", "loja de calçados, loja de calcado, calcado, sapato, tenis, sapataria, shoe store, shoes, shoe, zapateria"),
    ("shop=bag | shop=leather", "bolsas e malas, bolsa, mala, couro, artigo de couro, bag, luggage, leather goods, marroquineria"),
    ("shop=jewelry | shop=watches", "joalheria, joia, relojoaria, semijoia, jewelry store, jeweller, jewelry, joyeria, relojeria"),
    ("shop=stationery", "papelaria, material escolar, stationery, stationery store, papeleria"),
    ("shop=books", "livraria, livro, sebo, bookstore, bookshop, book, libreria"),
    ("shop=toys", "loja de brinquedos, loja de brinquedo, brinquedo, toy store, toy, jugueteria"),
    ("shop=gift | shop=variety_store", "loja de presentes, loja de presente, presente, utilidade, bazar, gift shop, variety store, regalo, tienda de regalo"),
    ("shop=sports | shop=outdoor", "loja de esportes, loja de esporte, artigo esportivo, esporte, sporting goods store, sports shop, tienda de deporte"),
    ("shop=fabric | shop=haberdashery", "loja de tecidos, tecido, loja de tecido, armarinho, aviamento, fabric store, haberdashery, merceria"),
    ("shop=baby_goods", "loja de bebê, artigo infantil, enxoval, baby store, tienda de bebe"),
    ("shop=musical_instrument", "instrumentos musicais, instrumento musical, loja de instrumento, music store, musical instrument, instrumento"),
    ("shop=agrarian", "agropecuária, casa de racao, racao, agricultural store, agropecuario"),
    ("shop=department_store | shop=mall", "loja de departamento, shopping, shopping center, department store, mall, centro comercial"),
    ("shop=wholesale", "atacado, atacadista, distribuidora, wholesale, wholesaler, mayorista"),
    ("shop=copyshop | craft=printer | shop=printing | craft=signmaker", "gráfica, grafica rapida, impressao, comunicacao visual, print shop, printing, sign shop, imprenta"),
    ("shop=photo | craft=photographer | shop=photo_studio", "fotógrafo, fotografa, fotografia, estudio fotografico, photographer, photo studio"),
    # --- offices and learning
    ("office=lawyer | office=notary", "advogado, advogada, advocacia, escritorio de advocacia, lawyer, attorney, law firm, abogado, abogada"),
    ("office=notary", "cartório, tabelionato, notary, notaria"),
    ("office=accountant | office=tax_advisor", "contador, contadora, contabilidade, escritorio de contabilidade, contabil, accountant, accounting firm, tax advisor, contable, contaduria"),
    ("office=estate_agent | shop=estate_agent", "imobiliária, corretor de imovel, imovel, real estate agency, real estate, realtor, estate agent, inmobiliaria"),
    ("office=insurance | shop=insurance", "corretora de seguros, corretora de seguro, seguro, corretor de seguro, insurance, insurance agency, aseguradora, aseguranza"),
    ("shop=travel_agency | office=travel_agent", "agência de viagens, agencia de viagem, viagem, turismo, agencia de turismo, travel agency, travel agent, agencia de viaje"),
    ("office=advertising_agency | office=marketing | office=graphic_design", "agência de marketing, marketing, publicidade, agencia de publicidade, propaganda, marketing agency, advertising agency, publicidad"),
    ("office=it | office=software | office=web_design", "software, empresa de software, tecnologia, empresa de ti, desenvolvimento de site, it company, software company, web design"),
    ("office=consulting", "consultoria, consultor, consulting, consultant"),
    ("office=employment_agency", "agência de empregos, agencia de emprego, recursos humanos, rh, employment agency, staffing, agencia de empleo"),
    ("office=financial | office=financial_advisor | amenity=payment_centre", "financeira, correspondente bancario, emprestimo, financial advisor, loan, financiera"),
    ("office=logistics | office=courier | amenity=post_depot", "transportadora, logistica, entrega, motoboy, logistics, courier, trucking company, transportista"),
    ("office=coworking | amenity=coworking_space", "coworking, escritorio compartilhado, coworking space"),
    ("amenity=bank", "banco, agencia bancaria, bank"),
    ("amenity=school", "escola, colegio, escola particular, school, escuela"),
    ("amenity=kindergarten | amenity=childcare", "escola infantil, creche, bercario, educacao infantil, jardim de infancia, preschool, kindergarten, daycare, guarderia, jardin infantil"),
    ("amenity=language_school", "escola de idiomas, escola de idioma, idioma, ingles, curso de ingles, language school, english course, academia de idioma"),
    ("amenity=music_school", "escola de música, aula de musica, violao, music school, escuela de musica"),
    ("amenity=prep_school | office=tutoring | amenity=training", "reforço escolar, reforco, aula particular, cursinho, curso, tutoring, tutoring service, tutor, clase particular"),
    ("amenity=college | amenity=university", "faculdade, universidade, college, university, universidad"),
    ("tourism=hotel | tourism=motel | tourism=apartment", "hotel, motel, flat, hospedagem, hospedaje"),
    ("tourism=guest_house | tourism=hostel | tourism=chalet", "pousada, hostel, chale, guest house, bed and breakfast, posada, hostal"),
    ("office=funeral_directors | shop=funeral_directors | amenity=funeral_hall", "funerária, velorio, funeral home, funeral director"),
    ("amenity=place_of_worship", "igreja, church, iglesia, templo"),
    ("tourism=museum | tourism=gallery | shop=art", "museu, galeria, galeria de arte, museum, art gallery, museo"),
    ("amenity=cinema | amenity=theatre", "cinema, teatro, theater, theatre, movie theater, cine"),
)  # fmt: skip

SMALL_WORDS = {"de", "do", "da", "dos", "das", "del", "la", "el", "los", "las", "e", "y", "em", "en", "no", "na"} | {
    "the", "a", "o", "of", "in", "and", "para", "for"
}  # fmt: skip
NAMING = ("healthcare", "craft", "shop", "office", "amenity", "tourism", "leisure")  # the most exact first
PLURALS = (("oes", "ao"), ("aes", "ao"), ("ais", "al"), ("eis", "el"), ("ies", "y"), ("res", "r"), ("ns", "m"))


def tags_of(term: str) -> tuple[Tags, ...]:
    """How OpenStreetMap tags what a person looks for; empty where the table does not know the trade."""
    return _KNOWN.get(_plain(term)) or _KNOWN.get(_plain(term, _without_s), ())


def label_of(tags: dict[str, str], language: str) -> str | None:
    """What a business with these tags is, for people: in Portuguese where the table has it, else as the tag says."""
    for key in NAMING:
        value = tags.get(key, "").partition(";")[0].strip()
        if not value or value in ("yes", "no"):
            continue
        known = _LABELS.get((key, value)) if language.startswith("pt") else None
        said = known or value.replace("_", " ")
        return said[:1].upper() + said[1:]
    return None


def _plain(term: str, singular: Callable[[str], str] | None = None) -> str:
    """Without small words and in the singular, well enough for three languages: both sides are brought down alike."""
    return " ".join((singular or _singular)(word) for word in fold(term).split() if word not in SMALL_WORDS)


def _singular(word: str) -> str:
    for many, one in PLURALS:
        if word.endswith(many) and len(word) > len(many) + 1:
            return word[: -len(many)] + one
    return _without_s(word)


def _without_s(word: str) -> str:
    """Where the endings of one language mislead in another: electricians are no "electriciam"."""
    return word[:-1] if word.endswith("s") and len(word) > 3 else word


def _read(tags: str) -> tuple[Tags, ...]:
    return tuple(tuple(_tag(part.strip()) for part in way.split("&")) for way in tags.split("|"))


def _tag(text: str) -> Tag:
    key, listed, value = text.partition("~")
    if not listed:
        key, _, value = text.partition("=")
    return Tag(key, value, bool(listed))


def _known() -> dict[str, tuple[Tags, ...]]:
    """A word that stands in several rows means all of them."""
    known: dict[str, tuple[Tags, ...]] = {}
    for tags, words in _ROWS:
        for word in words.split(","):
            name = _plain(word)
            known[name] = tuple(dict.fromkeys((*known.get(name, ()), *_read(tags))))
    return known


def _labels() -> dict[tuple[str, str], str]:
    """By the tags that a row alone, or first, has."""
    labels: dict[tuple[str, str], str] = {}
    for tags, words in _ROWS:
        for way in _read(tags):
            if len(way) == 1:
                labels.setdefault((way[0].key, way[0].value), words.partition(",")[0])
    return labels


_KNOWN = _known()
_LABELS = _labels()
