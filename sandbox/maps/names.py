"""How the invented city names its businesses: trees, birds, stones and weather, never a person or a brand."""

from __future__ import annotations

import re
from random import Random

from .trades import Trade, plain

NOUNS = tuple(
    """Araucária Jatobá Mandacaru Tamarindo Sabiá Tangará Quaresmeira Aroeira Pitanga Jabuticaba Umbuzeiro
    Buriti Carnaúba Guariroba Cedro Peroba Imbuia Angico Cajueiro Aurora Alvorada Horizonte Brisa
    Primavera Orvalho Garoa Jacarandá Ipê Paineira Sucupira Cambará Canela Pitangueira Goiabeira
    Mangueira Figueira Bromélia Orquídea Girassol Margarida Violeta Hortênsia Camélia Alecrim
    Manjericão Hortelã Lavanda Jasmim Gardênia Azaleia Begônia Lírio Tulipa Beija-Flor Bem-te-vi
    Curió Canário Gaivota Garça Andorinha Colibri Arara Tucano Seriema Gavião Coruja Quero-Quero
    Ametista Esmeralda Turmalina Topázio Safira Rubi Granito Quartzo Cristal Basalto Ardósia Seixo
    Lua Sol Estrela Cometa Constelação Poente Nascente Planalto Campina Chapada Vereda Várzea
    Cachoeira Correnteza Riacho Lagoa Maré Enseada Farol Âncora Jangada Veleiro Bússola Âmbar Coral
    Concha Pérola Areia Duna Restinga Manacá Cerejeira Amoreira Oliveira Romã Acerola Cajá Graviola
    Cupuaçu Guaraná Açaizeiro Palmeira Samambaia Trevo Musgo Cipó Taquara Bambu Junco Capim Neblina
    Sereno Trovoada Arco-Íris Ventania Geada Verão Outono Inverno Estação Moinho Engenho Porteira
    Carreiro Tropeiro Viola Ciranda Fandango Cavaquinho Berimbau Catavento Pipa Peteca Balão Lampião
    Candeia Fogueira Alpendre Varanda Quintal Terreiro Roda Colheita Semente Broto Raiz Copaíba
    Andiroba Jequitibá Embaúba Juçara Capitinga""".split()
)  # fmt: skip
PHRASES = (
    "Serra Azul", "Lagoa Mansa", "Rio Manso", "Pedra Alta", "Vento Sul", "Lua Nova", "Sol Nascente", "Campo Sereno",
    "Boa Hora", "Bela Vista", "Água Fria", "Terra Boa", "Céu Aberto", "Ponto Certo", "Três Irmãs", "Dois Rios",
    "Porta Azul", "Casa Amarela", "Flor do Campo", "Pé de Serra", "Mão Amiga", "Bom Caminho", "Luz da Manhã",
)  # fmt: skip
TAILS = (
    "Prime",
    "Express",
    "& Cia",
    "Center",
    "II",
    "Plus",
    "da Vila",
    "Premium",
    "do Bairro",
    "& Filhas",
    "Matriz",
)
CHAINS = {
    "pharmacy": ("Farma Ipê", "Drogaria Tangará"),
    "supermarket": ("Rede Buriti", "Mercado Poente"),
    "gym": ("Fit Jatobá",),
    "gas_station": ("Posto Planalto",),
    "optician": ("Óticas Alvorada",),
    "hamburger_restaurant": ("Burger Trovoada",),
    "clothing_store": ("Closet Ametista",),
    "cell_phone_store": ("Conecta Cometa",),
    "bakery": ("Pães Moinho",),
}

# Names that a person could have typed into the map and that break careless code: markup, quotes, formulas, emoji,
# right-to-left marks, template braces, percent signs, very long ones.
AWKWARD = (
    ("bakery", 'Padaria "Pão & Prosa" <b>24h</b>'),
    ("pet_store", "Pet's & Cia 🐶🐾"),
    ("beauty_salon", "Salão D’Ametista <script>alert(1)</script>"),
    ("accounting_firm", "=1+1 Contabilidade & Números"),
    ("restaurant", "Cantina {{nome}} & {0} %s"),
    ("ice_cream_shop", "Açaí do Cupuaçu 🍇🍓 100% Natural"),
    ("bar", "Bar \\ Boteco 'Três; Irmãs' --"),
    ("barber_shop", "Barbearia \u202eAlvorada\u202c"),
    ("lawyer", "Advocacia Jequitibá | Trabalhista | Cível | Família | Previdenciário | Consumidor | Empresarial | "
               "Tributário | Imobiliário | Atendimento em toda a região de Serra Clara"),
    ("dental_clinic", "Clínica Odontológica Sorriso™ ® 😁 <img src=x onerror=alert(2)>"),
    ("auto_repair_shop", "Oficina 寿 Motor & Ação"),
    ("florist", "@Floricultura Girassol; -- ñ ß œ"),
)  # fmt: skip


def business_name(draw: Random, trade: Trade, neighbourhood: str) -> str:
    chance = draw.random()
    chains = CHAINS.get(trade.key)
    if chains and chance < 0.08:
        return draw.choice(chains)
    head = draw.choice(trade.heads)
    noun = draw.choice(NOUNS) if draw.random() < 0.86 else draw.choice(PHRASES)
    if chance < 0.44:
        return f"{head} {noun}"
    if chance < 0.62:
        return f"{head} {noun} {draw.choice(TAILS)}"
    if chance < 0.74:
        return f"{head} {noun} - {neighbourhood}"
    if chance < 0.84:
        return f"{noun} {trade.pt}"
    if chance < 0.94:
        return f"{head} {noun} e {draw.choice(NOUNS)}"
    return f"{head} {neighbourhood}"


def host_name(name: str, number: int) -> str:
    """A host below the reserved `.example`, so that nobody's real website is ever meant."""
    label = re.sub(r"[^a-z0-9]+", "-", plain(name)).strip("-")[:40].strip("-") or "loja"
    return f"{label}-{number}.example"
